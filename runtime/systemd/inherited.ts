import {SettingsInvalidError} from '../../lib/index.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Descriptors that systemd opened for this process; `null` for one that it did not. */
export interface Inherited {
	/** A listening socket, from a socket unit. */
	readonly listen: number | null;
	/** Connected to systemd's notification socket, from `OpenFile=` in the service unit. */
	readonly notify: number | null;
}

/** sd_listen_fds(3), SD_LISTEN_FDS_START. */
const firstDescriptor = 3;

/** `OpenFile=<path>:notify` names it so. */
const notifyName = 'notify';

/**
 * What was handed to this process (sd_listen_fds(3)).
 * @throws {SettingsInvalidError} for more than one listening socket: the others would accept and never answer.
 */
export function readInherited(environment: Environment, pid: number): Inherited {
	// Variables outlive the process that they were meant for; its descriptors do not.
	const isOurs = environment['LISTEN_PID'] === String(pid);
	const count = isOurs ? Number(environment['LISTEN_FDS'] ?? 0) : 0;
	if (!Number.isInteger(count) || count < 0) {
		throw new SettingsInvalidError('LISTEN_FDS', 'must be a number of descriptors');
	}

	const names = (environment['LISTEN_FDNAMES'] ?? '').split(':');
	const descriptors = Array.from({length: count}, (_, index) => ({fd: firstDescriptor + index, name: names[index]}));
	const [listen, second] = descriptors.filter(({name}) => name !== notifyName);
	if (second !== undefined) {
		throw new SettingsInvalidError('LISTEN_FDS', 'must be one socket: name one ListenStream= in the socket unit');
	}

	return {listen: listen?.fd ?? null, notify: descriptors.find(({name}) => name === notifyName)?.fd ?? null};
}
