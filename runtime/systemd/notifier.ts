import {execFile} from 'node:child_process';
import {write} from 'node:fs';
import {promisify} from 'node:util';
import type {Logger} from '../../lib/index.js';
import type {Inherited} from './inherited.js';

/** Tells systemd how we are (sd_notify(3)). Settles when it was told, or could not be; never rejects. */
export type Notify = (...assignments: readonly string[]) => Promise<void>;

/** systemd-notify waits until its message was read; a system manager that hangs must not hold us. */
const patienceMs = 5000;

const writeTo = promisify(write);
const run = promisify(execFile);

/**
 * Node has no datagram sockets of that kind. A descriptor that systemd itself connected (`OpenFile=`, systemd 254)
 * needs only a write, which the kernel marks with our own pid: so `NotifyAccess=main` does, for every user. Without
 * one the program systemd-notify speaks for us.
 */
export function createNotify(
	environment: Readonly<Record<string, string | undefined>>,
	{notify: descriptor}: Pick<Inherited, 'notify'>,
	logger: Logger,
): Notify {
	const socket = environment['NOTIFY_SOCKET'];
	if (!socket) {
		return async () => undefined;
	}

	const send =
		descriptor === null
			? (assignments: readonly string[]) => runNotify(socket, environment['PATH'], assignments)
			: (assignments: readonly string[]) => writeTo(descriptor, assignments.join('\n'));
	return async (...assignments) => {
		try {
			await send(assignments);
		} catch (error) {
			logger.warn({error}, 'systemd could not be told how nohupd is');
		}
	};
}

function runNotify(socket: string, path: string | undefined, assignments: readonly string[]): Promise<unknown> {
	return run('systemd-notify', ['--', ...assignments], {
		env: {NOTIFY_SOCKET: socket, ...(path === undefined ? {} : {PATH: path})},
		timeout: patienceMs,
		killSignal: 'SIGKILL',
	});
}
