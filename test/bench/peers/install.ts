import {execFileSync} from 'node:child_process';
import {readdirSync} from 'node:fs';
import {join} from 'node:path';

const longestMs = 120_000;

/** Runs a program and gives the first line that it prints. Throws where it fails. */
export function firstLineOf(file: string, args: readonly string[], cwd = '/'): string {
	const printed = execFileSync(file, args, {stdio: ['ignore', 'pipe', 'pipe'], timeout: longestMs, cwd});
	return printed.toString().split('\n')[0]?.trim() ?? '';
}

/** Unpacks a package of Debian into a directory, without installing it, and gives its version. */
export function unpackDebian(name: string, dir: string): string {
	firstLineOf('apt-get', ['download', name], dir);
	const file = join(dir, readdirSync(dir).find(entry => entry.endsWith('.deb')) ?? '');
	firstLineOf('dpkg', ['-x', file, dir]);
	return firstLineOf('dpkg-deb', ['--field', file, 'Version']);
}
