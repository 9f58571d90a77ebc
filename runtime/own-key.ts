/** The key of a state directory: who can read it may do everything, so nobody but its owner can. */
import {randomBytes} from 'node:crypto';
import {closeSync, fstatSync, fsyncSync, linkSync, openSync, readFileSync, unlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {SettingsInvalidError} from '../lib/index.js';
import {openCarefully} from './careful-open.js';
import {type Key, secretKey} from './key.js';

/** Reads the state directory's own key, or makes one. Two who start at once get the same. */
export function openOwnKey(stateDir: string): Key {
	return readOwnKey(stateDir) ?? makeOwnKey(stateDir);
}

/**
 * `null` where none was made yet.
 * @throws {SettingsInvalidError} if others can read it.
 */
export function readOwnKey(stateDir: string): Key | null {
	const path = keyPath(stateDir);
	const text = readPrivateFile(path);
	return text === null ? null : secretKey(text.trim(), path);
}

export function keyPath(stateDir: string): string {
	return join(stateDir, 'key');
}

function makeOwnKey(stateDir: string): Key {
	const path = keyPath(stateDir);
	const draft = `${path}.${randomBytes(6).toString('hex')}`;
	const descriptor = openSync(draft, 'wx', 0o600);
	try {
		writeFileSync(descriptor, `${randomBytes(32).toString('base64url')}\n`);
		fsyncSync(descriptor);
		// Unlike rename(2), link(2) never replaces a key that somebody else has made meanwhile, and nobody
		// ever sees half a key.
		linkSync(draft, path);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
			throw error;
		}
	} finally {
		closeSync(descriptor);
		unlinkSync(draft);
	}

	const key = readOwnKey(stateDir);
	if (key === null) {
		throw new SettingsInvalidError(path, 'was removed while nohupd started: start it again');
	}

	return key;
}

function readPrivateFile(path: string): string | null {
	let descriptor: number;
	try {
		descriptor = openCarefully(path);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
			return null;
		}

		throw error;
	}

	try {
		const mode = fstatSync(descriptor).mode & 0o777;
		if ((mode & 0o077) !== 0) {
			throw new SettingsInvalidError(
				path,
				`can be read by others (mode ${mode.toString(8)}): remove it for a new key, or chmod 600 if you trust them`,
			);
		}

		return readFileSync(descriptor, 'utf8');
	} finally {
		closeSync(descriptor);
	}
}
