import {closeSync, openSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {StateDirInUseError} from '../opening-errors.js';
import type {OwnerLock} from '../ports.js';
import {readStateFile} from '../state-file.js';

import Database = require('better-sqlite3');

/**
 * Takes a state directory for this process. Node has no flock(2); SQLite's lock on an empty
 * file does the same, and also between two supervisors of one program. It is not the
 * database's own lock, since a damaged database must be set aside while the directory is held.
 *
 * @throws {StateDirInUseError} names the owner's pid.
 */
export function takeOwnership(stateDir: string): OwnerLock {
	const path = join(stateDir, 'lock');
	const ownerPath = join(stateDir, 'owner');
	makeOnce(path);
	const lock = new Database(path, {timeout: 0});
	try {
		lock.exec('BEGIN EXCLUSIVE');
		writeFileSync(ownerPath, `${process.pid}\n`, {mode: 0o600});
		return {release: () => lock.close()};
	} catch (error) {
		lock.close();
		if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) {
			throw new StateDirInUseError(stateDir, readOwner(ownerPath));
		}

		throw error;
	}
}

/**
 * Never opens a file that is there: closing it would let go of the lock that another supervisor of this
 * same program holds on it (fcntl(2), "Record locking").
 */
function makeOnce(path: string): void {
	try {
		closeSync(openSync(path, 'wx', 0o600));
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
			throw error;
		}
	}
}

function readOwner(path: string): number | null {
	try {
		const pid = Number(readStateFile(path));
		return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
	} catch {
		// The owner took the lock and has not yet written its pid.
		return null;
	}
}
