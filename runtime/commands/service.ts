import {mkdirSync, writeFileSync} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {Command} from 'commander';
import {CannotError} from '../failure.js';
import {
	hasUser,
	makeUnitFiles,
	ownProgram,
	readSystemdVersion,
	reloadUnits,
	type UnitFile,
} from '../systemd/unit-files.js';

interface ServiceOptions {
	/** Whether it is for the user's own systemd. */
	readonly user?: true;
	readonly runAs: string;
}

/** `nohupd service`: the units for systemd. */
export function serviceCommand(): Command {
	return new Command('service')
		.description('run nohupd as a service of systemd')
		.addCommand(withOptions(new Command('install').description('put the units in their place')).action(install))
		.addCommand(withOptions(new Command('print').description('print the units')).action(print));
}

function withOptions(command: Command): Command {
	return command
		.option('--user', "for the user's own systemd, without root")
		.option('--run-as <name>', 'the user that commands run as; not with --user', 'nohupd');
}

function print(options: ServiceOptions): void {
	const directory = directoryOf(options);
	const units = unitFiles(options).map(({name, text}) => `# ${join(directory, name)}\n${text}`);
	process.stdout.write(units.join('\n'));
}

function install(options: ServiceOptions): void {
	const isUsers = options.user === true;
	if (!isUsers && !hasUser(options.runAs)) {
		throw new CannotError(
			`There is no user ${options.runAs}: make one (useradd --system --create-home ${options.runAs}), or name another with --run-as`,
		);
	}

	const directory = directoryOf(options);
	for (const {name, text} of unitFiles(options)) {
		writeUnit(directory, name, text);
	}

	reload(isUsers);
	const systemctl = isUsers ? 'systemctl --user' : 'systemctl';
	process.stdout.write(
		[
			`The units are in ${directory}. Start nohupd, now and after each boot:`,
			`  ${systemctl} enable --now nohupd.socket nohupd.service`,
			...(isUsers ? ['So that it runs while you are logged out:', '  loginctl enable-linger'] : []),
			'',
		].join('\n'),
	);
}

function unitFiles({user, runAs}: ServiceOptions): UnitFile[] {
	return makeUnitFiles({
		program: ownProgram(),
		user: user === true ? null : runAs,
		version: readSystemdVersion(),
	});
}

/** systemd.unit(5), "UNIT FILE LOAD PATH". */
function directoryOf({user}: ServiceOptions): string {
	if (user !== true) {
		return '/etc/systemd/system';
	}

	return join(process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'systemd', 'user');
}

function writeUnit(directory: string, name: string, text: string): void {
	try {
		mkdirSync(directory, {recursive: true});
		writeFileSync(join(directory, name), text);
	} catch (error) {
		throw new CannotError(`${join(directory, name)} cannot be written: ${(error as Error).message}`);
	}
}

function reload(isUsers: boolean): void {
	try {
		reloadUnits(isUsers);
	} catch {
		process.stderr.write('systemd could not be told: run systemctl daemon-reload where it runs\n');
	}
}
