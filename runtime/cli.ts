import {Command} from 'commander';
import {completeCommand, completionCommand} from './commands/completion.js';
import {doctorCommand} from './commands/doctor.js';
import {eventsCommand} from './commands/events.js';
import {forgetCommand} from './commands/forget.js';
import {killCommand} from './commands/kill.js';
import {logsCommand} from './commands/logs.js';
import {psCommand} from './commands/ps.js';
import {runCommand} from './commands/run.js';
import {signalCommand} from './commands/signal.js';
import {waitCommand} from './commands/wait.js';
import type {Flags} from './config.js';
import {optionsOf} from './setting-options.js';
import {type SettingName, settings} from './settings.js';
import type {TokenOptions} from './token.js';
import {readVersion} from './version.js';

/** Carries out one command line. Rejects with what stops it. */
export async function run(words: readonly string[]): Promise<void> {
	const program = new Command('nohupd')
		.description('Runs shell commands in the background and never loses track of them.')
		.version(readVersion())
		// What stands behind a command of "run" belongs to that command.
		.enablePositionalOptions()
		.addCommand(serveCommand())
		.addCommand(tokenCommand())
		.addCommand(runCommand())
		.addCommand(psCommand())
		.addCommand(logsCommand())
		.addCommand(waitCommand())
		.addCommand(killCommand())
		.addCommand(signalCommand())
		.addCommand(eventsCommand())
		.addCommand(forgetCommand())
		.addCommand(doctorCommand())
		.addCommand(completionCommand());
	program.addCommand(completeCommand(program), {hidden: true});
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
		.option('--ttl <time>', 'how long it is valid: seconds, or 90m, 12h, 30d', '12h');
	for (const option of optionsOf(['stateDir', 'jwtIssuer', 'jwtAudience'])) {
		command.addOption(option);
	}

	return command.action(async ({subject, ttl, ...flags}: TokenOptions & Flags) => {
		const {mintToken} = await import('./token.js');
		process.stdout.write(`${await mintToken({subject, ttl}, flags, process.env)}\n`);
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
