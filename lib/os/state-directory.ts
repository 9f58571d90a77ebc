import {chmodSync, existsSync, mkdirSync, realpathSync, statSync} from 'node:fs';
import {dirname, resolve} from 'node:path';
import {StateDirMissingError, StateDirUnsafeError} from '../opening-errors.js';
import {isForWantOfRoom} from './disk.js';

const writableByOthers = 0o022;

/** With all above it. Not by `recursive`: where nothing can be made, under /proc for instance, Node tries for ever. */
function makeDirectory(path: string): void {
	if (!existsSync(path)) {
		makeDirectory(dirname(path));
		try {
			mkdirSync(path, {mode: 0o700});
		} catch (error) {
			// Somebody else was faster.
			if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
				throw error;
			}
		}
	}
}

function makeStateDirectory(path: string): void {
	try {
		makeDirectory(path);
	} catch (error) {
		throw isForWantOfRoom(error, path) ? error : new StateDirMissingError(path, {cause: error as Error});
	}
}

/**
 * Makes the directory if it is missing, closes it to others, and gives its real path.
 * @throws {StateDirMissingError} if it cannot be made.
 * @throws {StateDirUnsafeError} if others may write there, or it is somebody else's.
 */
export function openStateDirectory(path: string): string {
	makeStateDirectory(resolve(path));
	const stateDir = realpathSync(path);
	const stat = statSync(stateDir);
	if (!stat.isDirectory()) {
		throw new StateDirUnsafeError(stateDir, 'is not a directory');
	}

	const {mode, uid} = stat;
	if (uid !== process.geteuid?.()) {
		throw new StateDirUnsafeError(stateDir, `belongs to user ${uid}, not to the one that runs this`);
	}

	if ((mode & writableByOthers) !== 0) {
		const octal = (mode & 0o777).toString(8).padStart(3, '0');
		throw new StateDirUnsafeError(stateDir, `may be written by others (mode ${octal}): make it 700`);
	}

	chmodSync(stateDir, 0o700);
	return stateDir;
}
