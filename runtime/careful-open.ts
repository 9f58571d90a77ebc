import {constants, openSync} from 'node:fs';

/**
 * Opens a file of the state directory for reading. Commands run as our user and can put a FIFO in its place: that
 * must not hold up the daemon (fifo(7)); it is found to be empty.
 */
export function openCarefully(path: string): number {
	return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
}
