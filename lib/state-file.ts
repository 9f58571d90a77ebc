import {closeSync, constants, openSync, readFileSync} from 'node:fs';

// Commands run as our user and can replace any file of the state directory. A FIFO in its place would hold up whoever
// opens it (fifo(7)), and with it everybody; a symbolic link would lead out of the directory (open(2)).
const careful = constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** Opens a file of the state directory for reading. */
export const readFlags = constants.O_RDONLY | careful;

/** Opens a file of the state directory for changing it in place. */
export const updateFlags = constants.O_RDWR | careful;

/** The whole of a small file of the state directory. @throws {Error} the system's, where it is missing or no file. */
export function readStateFile(path: string, encoding: 'utf8' | 'latin1' = 'utf8'): string {
	const descriptor = openSync(path, readFlags);
	try {
		return readFileSync(descriptor, encoding);
	} finally {
		closeSync(descriptor);
	}
}
