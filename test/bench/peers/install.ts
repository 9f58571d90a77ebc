import {spawnSync} from 'node:child_process';
import {readdirSync} from 'node:fs';
import {join} from 'node:path';

const longestMs = 120_000;

/** Runs a program and gives the first line that it prints. Throws where it fails or is not there. */
export function firstLineOf(file: string, args: readonly string[], cwd = '/'): string {
	const {error, status, stdout, stderr} = spawnSync(file, args, {encoding: 'utf8', timeout: longestMs, cwd});
	if (error !== undefined) {
		const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
		throw isMissing ? new Error(`${file} is not installed`) : error;
	}

	if (status !== 0) {
		throw new Error(`${file} ${args[0]} failed: ${firstLine(stderr)}`);
	}

	return firstLine(stdout);
}

function firstLine(text: string): string {
	return text.trim().split('\n')[0] ?? '';
}

/** Unpacks a package of Debian into a directory, without installing it, and gives its version. */
export function unpackDebian(name: string, dir: string): string {
	firstLineOf('apt-get', ['download', name], dir);
	const file = join(dir, readdirSync(dir).find(entry => entry.endsWith('.deb')) ?? '');
	firstLineOf('dpkg', ['-x', file, dir]);
	return firstLineOf('dpkg-deb', ['--field', file, 'Version']);
}
