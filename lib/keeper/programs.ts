import {execFileSync} from 'node:child_process';
import {accessSync, constants} from 'node:fs';
import {delimiter, join} from 'node:path';
import {BashMissingError} from '../opening-errors.js';
import type {Programs} from '../ports.js';

// EPOCHREALTIME came with bash 5.
const minimumBash = 5;
const usualDirectories = ['/usr/bin', '/bin', '/usr/local/bin'];

/** Finds what commands need on their way. @throws {BashMissingError} */
export function findPrograms(path = process.env['PATH'] ?? ''): Programs {
	const directories = [...path.split(delimiter), ...usualDirectories].filter(directory => directory.startsWith('/'));
	const find = (name: string) => directories.map(directory => join(directory, name)).filter(isExecutable);
	const bash = find('bash').find(candidate => bashVersion(candidate) >= minimumBash);
	const [env] = find('env');
	const [mkfifo = null] = find('mkfifo');
	if (bash === undefined || env === undefined) {
		throw new BashMissingError(directories.join(delimiter));
	}

	const [fallocate = null] = find('fallocate');
	return {bash, env, fallocate, mkfifo};
}

function isExecutable(path: string): boolean {
	try {
		accessSync(path, constants.X_OK);
		return true;
	} catch {
		// Not here; perhaps in the next directory.
		return false;
	}
}

function bashVersion(bash: string): number {
	try {
		return Number(execFileSync(bash, ['--norc', '-c', 'echo "$BASH_VERSINFO"'], {env: {}, encoding: 'utf8'}));
	} catch {
		// Not a program that runs here.
		return 0;
	}
}
