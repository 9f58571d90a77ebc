import {chmodSync, mkdirSync, realpathSync, statSync} from 'node:fs';
import {StateDirUnsafeError} from '../errors.js';

const writableByOthers = 0o022;

/**
 * Makes the directory if it is missing, closes it to others, and gives its real path.
 * @throws {StateDirUnsafeError} if others may write there, or it is somebody else's.
 */
export function openStateDirectory(path: string): string {
	mkdirSync(path, {recursive: true, mode: 0o700});
	const stateDir = realpathSync(path);
	const {mode, uid} = statSync(stateDir);
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
