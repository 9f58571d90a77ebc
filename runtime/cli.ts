import {Command} from 'commander';
import type {Flags} from './config.js';
import {exitCodes} from './exit-codes.js';
import {scopes} from './scope.js';
import {optionsOf} from './setting-options.js';
import {type SettingName, settings} from './settings.js';
import {endWithOutput} from './standard-output.js';
import type {TokenOptions} from './token.js';
import {readVersion} from './version.js';

/** Each is loaded when it is asked for: the daemon, above all, does not pay for the others. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
	serve: async () => serveCommand(),
	token: async () => tokenCommand(),
	run: async () => (await import('./commands/run.js')).runCommand(),
	ps: async () => (await import('./commands/ps.js')).psCommand(),
	logs: async () => (await import('./commands/logs.js')).logsCommand(),
	wait: async () => (await import('./commands/wait.js')).waitCommand(),
	kill: async () => (await import('./commands/kill.js')).killCommand(),
	signal: async () => (await import('./commands/signal.js')).signalCommand(),
	events: async () => (await import('./commands/events.js')).eventsCommand(),
	forget: async () => (await import('./commands/forget.js')).forgetCommand(),
	service: async () => (await import('./commands/service.js')).serviceCommand(),
	doctor: async () => (await import('./commands/doctor.js')).doctorCommand(),
	completion: async () => (await import('./commands/completion.js')).completionCommand(),
};

/** Carries out one command line. Rejects with what stops it. */
export async function run(words: readonly string[]): Promise<void> {
	const program = new Command('nohupd')
		.description('Runs shell commands in the background and never loses track of them.')
		.version(readVersion())
		// What stands behind a command of "run" belongs to that command.
		.enablePositionalOptions();
	const [name = ''] = words;
	const isKnown = Object.hasOwn(commands, name);
	for (const [each, load] of Object.entries(commands)) {
		if (!isKnown || each === name) {
			program.addCommand(await load());
		}
	}

	// Help, a word that is nearly one of them, or a shell that asks.
	if (!isKnown) {
		const {completeCommand} = await import('./commands/completion.js');
		program.addCommand(completeCommand(program), {hidden: true});
	}

	// The daemon serves on, whoever listens to its first words.
	if (name !== 'serve') {
		endWithOutput(name === 'run' || name === 'wait' ? exitCodes.failed : 1);
	}

	await program.parseAsync(words, {from: 'user'});
}

function serveCommand(): Command {
	const command = new Command('serve').description('serve the HTTP API').addHelpText('after', `\n${secretHelp()}`);
	for (const option of optionsOf(Object.keys(settings) as SettingName[])) {
		command.addOption(option);
	}

	return command.action(async (flags: Flags) => {
		const {serve} = await import('./serve.js');
		await serve(flags);
	});
}

function tokenCommand(): Command {
	const command = new Command('token')
		.description('make a token for the HTTP API and print it')
		.option('--subject <name>', 'who uses it, its "sub"')
		.option('--scope <words>', `what it allows: some of ${scopes.join(', ')}; everything unless given`)
		.option('--own', 'only for the processes that its subject started')
		.option('--ttl <time>', 'how long it is valid: seconds, or 90m, 12h, 30d', '12h');
	for (const option of optionsOf(['stateDir', 'jwtIssuer', 'jwtAudience'])) {
		command.addOption(option);
	}

	return command.action(async ({subject, ttl, scope, own, ...flags}: TokenOptions & Flags) => {
		const {mintToken} = await import('./token.js');
		process.stdout.write(`${await mintToken({subject, ttl, scope, own}, flags, process.env)}\n`);
	});
}

function secretHelp(): string {
	const {variable, help} = settings.jwtSecret;
	return [
		`${variable} in the environment: ${help}.`,
		'Under systemd, keys can be the credentials jwt-secret and jwt-public-key.',
		'Without a key, one is made in the state directory on the first start.',
	].join('\n');
}
