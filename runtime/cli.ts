import {Command, Option} from 'commander';
import type {Flags} from './config.js';
import {scopes} from './scope.js';
import {type Setting, type SettingName, settings} from './settings.js';
import type {TokenOptions} from './token.js';
import {readVersion} from './version.js';

/** Carries out one command line. Rejects with what stops it. */
export async function run(words: readonly string[]): Promise<void> {
	const program = new Command('nohupd')
		.description('Runs shell commands in the background and never loses track of them.')
		.version(readVersion())
		.addCommand(serveCommand())
		.addCommand(tokenCommand());
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

/** The flags of some settings. Variables and defaults are read later, so that a wrong value can say where it is from. */
function optionsOf(names: readonly SettingName[]): Option[] {
	return names.flatMap(name => {
		const {flag, help, variable, ...setting}: Setting = settings[name];
		const fallback = setting.default === undefined ? '' : `; default ${setting.default}`;
		return flag === null ? [] : [new Option(flag, `${help} (${variable}${fallback})`)];
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
