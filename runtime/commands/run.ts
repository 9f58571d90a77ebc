import {resolve} from 'node:path';
import {type Command, Option} from 'commander';
import {isLive, type ShownProcess} from '../client/answers.js';
import type {CommandFields, ReadySign} from '../client/daemon-client.js';
import type {EndpointFlags} from '../client/endpoint.js';
import {CannotError} from '../failure.js';
import {escaped, printable} from '../shown-text.js';
import {connect, daemonCommand, explainInterrupt, secondsOf, tell} from './daemon-command.js';
import {endLike, endsLikeItsProcess} from './ending.js';

interface RunFlags extends EndpointFlags {
	readonly name?: string;
	readonly timeout?: string;
	readonly cwd?: string;
	readonly env: readonly string[];
	readonly leftover?: string;
	readonly stdin?: true;
	readonly ready?: string;
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
		.addOption(
			new Option('--leftover <what>', 'what becomes of descendants that outlive it; keep unless given').choices([
				'keep',
				'kill',
			]),
		)
		.option('--stdin', 'its standard input can be written, by POST /execute/processes/{id}/stdin')
		.option('--ready <sign>', 'stay until it is ready: listens on this port, answers this URL, or writes this text')
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
		return;
	}

	if (flags.ready !== undefined) {
		assertReady(await client.ready(processId));
	}

	process.exitCode = 0;
}

/** @throws {CannotError} */
function assertReady({process_id: id, ready_at: readyAt, status}: ShownProcess): void {
	if (!readyAt) {
		const why = isLive(status) ? 'was not ready in time; it runs on' : 'has ended before it was ready';
		throw new CannotError(`${escaped(id)} ${why}: see its output with "nohupd logs"`);
	}
}

/** @throws {CannotError} */
async function commandFields(
	[command = '', ...args]: readonly string[],
	flags: RunFlags,
	environment: NodeJS.ProcessEnv,
): Promise<CommandFields> {
	const {name, timeout, cwd, env, url, leftover, stdin, ready} = flags;
	return {
		command,
		...(args.length === 0 ? {} : {args}),
		name,
		leftover,
		stdin,
		ready: ready === undefined ? undefined : readySign(ready),
		timeout: timeout === undefined ? undefined : await secondsOf('--timeout', timeout),
		// A directory of ours means nothing on another machine.
		working_dir: url === undefined ? resolve(cwd ?? '.') : cwd,
		...(env.length === 0 ? {} : {env: Object.fromEntries(env.map(given => variable(given, environment)))}),
	};
}

/** One that is none of these is refused by the daemon. */
function readySign(sign: string): ReadySign {
	if (/^\d+$/.test(sign)) {
		return {port: Number(sign)};
	}

	return /^https?:/i.test(sign) ? {http: sign} : {log: sign};
}

function variable(given: string, environment: NodeJS.ProcessEnv): [name: string, value: string] {
	const [, name = given, value = environment[given]] = /^(.*?)=(.*)$/s.exec(given) ?? [];
	if (name === '') {
		throw new CannotError(`--env ${printable(given)}: a name must stand before =`);
	}

	if (value === undefined) {
		throw new CannotError(`--env ${printable(given)}: no such variable here; give it a value with =`);
	}

	return [name, value];
}

function collect(given: string, before: readonly string[]): string[] {
	return [...before, given];
}
