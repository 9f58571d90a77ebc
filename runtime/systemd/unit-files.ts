import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

/** A unit as it is to be installed. */
export interface UnitFile {
	readonly name: string;
	readonly text: string;
}

/** What the shipped units do not know. */
export interface UnitFacts {
	/** Program and first arguments that run nohupd. */
	readonly program: readonly string[];
	/** Who runs commands; `null`: the unit is one of a user's own systemd. */
	readonly user: string | null;
	/** Of systemd; 0 where it is not known. */
	readonly version: number;
}

/** Three directories up from dist/runtime/systemd/. */
const shipped = new URL('../../../runtime/systemd/', import.meta.url);

/** The service and its socket, for this machine. */
export function makeUnitFiles({program, user, version}: UnitFacts): UnitFile[] {
	const service = readFileSync(new URL(user === null ? 'user/nohupd.service' : 'nohupd.service', shipped), 'utf8')
		// A function: in a text, `$` would mean something to replace().
		.replace('/usr/bin/nohupd', () => program.map(quoted).join(' '))
		.replace('User=nohupd', () => `User=${user}`);
	return [
		{name: 'nohupd.service', text: forVersion(service, version)},
		{name: 'nohupd.socket', text: readFileSync(new URL('nohupd.socket', shipped), 'utf8')},
	];
}

/** `#254: Key=value` is a line for systemd 254 and later; earlier ones would complain about it. */
function forVersion(text: string, version: number): string {
	return text.replaceAll(/^#(\d+): (.*)$/gm, (line, least: string, setting: string) =>
		version >= Number(least) ? setting : line,
	);
}

/** One word of a command line (systemd.service(5), "COMMAND LINES"; systemd.unit(5), "SPECIFIERS"). */
function quoted(word: string): string {
	const plain = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
	return /^[\w@%+=:,./$-]+$/.test(plain) ? plain : `"${plain.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** How this program is called from anywhere. */
export function ownProgram(): string[] {
	return [process.execPath, fileURLToPath(new URL('../main.js', import.meta.url))];
}

/** 0 where there is no systemd. */
export function readSystemdVersion(): number {
	try {
		const output = execFileSync('systemctl', ['--version'], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']});
		return Number(/^systemd (\d+)/.exec(output)?.[1] ?? 0);
	} catch {
		// Not installed: whoever prints a unit here wants it for another machine.
		return 0;
	}
}

/** Makes systemd read its units again. Throws what it says. */
export function reloadUnits(isUsers: boolean): void {
	execFileSync('systemctl', [...(isUsers ? ['--user'] : []), 'daemon-reload'], {stdio: ['ignore', 'ignore', 'pipe']});
}

/** Whether the machine has a user of this name. */
export function hasUser(name: string): boolean {
	try {
		execFileSync('id', ['-u', '--', name], {stdio: 'ignore'});
		return true;
	} catch {
		// id(1) found nobody.
		return false;
	}
}
