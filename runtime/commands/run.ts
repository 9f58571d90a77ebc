import {resolve} from 'node:path';
import type {Command} from 'commander';
import type {CommandFields} from '../client/daemon-client.js';
import type {EndpointFlags} from '../client/endpoint.js';
import {CannotError} from '../failure.js';
import {printable} from '../shown-text.js';
import {connect, daemonCommand, explainInterrupt, tell} from './daemon-command.js';
import {endLike, endsLikeItsProcess} from './ending.js';

interface RunFlags extends EndpointFlags {
	readonly name?: string;
	readonly timeout?: string;
	readonly cwd?: string;
	readonly env: readonly string[];
	readonly wait?: true;
	readonly follow?: true;
}

/** `nohupd run`. */
export function runCommand(): Command {
	const command = daemonCommand('run', 'run a command in the background, and print its id')
		.argument('<command...>', 'one word is a line for bash; several are a program and its arguments')
		.option('--name <name>', 'what to call it')
		.option('--timeout <time>', 'how long it may run: seconds, or 90m, 12h, 30d; 0 is no limit')
		.option('--cwd <path>', 'where it runs; else here, or where a daemon elsewhere says')
		.option(
			'--env <name=value>',
			'a variable for it, again for each; NAME alone takes the value from here',
			collect,
			[],
		)
		.option('--wait', 'stay until it ends, and end with its exit code')
		.option('--follow', 'the same, and show what it writes; Ctrl-C leaves it running')
		.passThroughOptions();
	return endsLikeItsProcess(command).action(run);
}

async function run(words: readonly string[], flags: RunFlags): Promise<void> {
	const fields = await commandFields(words, flags, process.env);
	const client = await connect(flags);
	const processId = await client.start(fields);
	explainInterrupt(processId);
	if (flags.follow) {
		const {followOutput} = await import('./follow-output.js');
		tell(processId);
		endLike(await followOutput(client, processId, {stdout: process.stdout, stderr: process.stderr}));
		return;
	}

	process.stdout.write(`${processId}\n`);
	if (flags.wait) {
		endLike(await client.wait(processId));
	} else {
		process.exitCode = 0;
	}
}

/** @throws {CannotError} */
async function commandFields(
	[command = '', ...args]: readonly string[],
	flags: RunFlags,
	environment: NodeJS.ProcessEnv,
): Promise<CommandFields> {
	const {name, timeout, cwd, env, url} = flags;
	return {
		command,
		...(args.length === 0 ? {} : {args}),
		name,
		timeout: timeout === undefined ? undefined : await seconds(timeout),
		// A directory of ours means nothing on another machine.
		working_dir: url === undefined ? resolve(cwd ?? '.') : cwd,
		...(env.length === 0 ? {} : {env: Object.fromEntries(env.map(given => variable(given, environment)))}),
	};
}

async function seconds(timeout: string): Promise<number> {
	const [{duration}, {safeParse}] = await Promise.all([import('../duration.js'), import('valibot')]);
	const parsed = safeParse(duration, timeout);
	if (!parsed.success) {
		throw new CannotError(`--timeout ${parsed.issues[0].message}; got ${JSON.stringify(printable(timeout))}`);
	}

	return parsed.output;
}

function variable(given: string, environment: NodeJS.ProcessEnv): [name: string, value: string] {
	const [, name = given, value = environment[given]] = /^(.*?)=(.*)$/s.exec(given) ?? [];
	if (value === undefined) {
		throw new CannotError(`--env ${printable(given)}: no such variable here; give it a value with =`);
	}

	return [name, value];
}

function collect(given: string, before: readonly string[]): string[] {
	return [...before, given];
}
