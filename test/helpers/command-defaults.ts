import type {CommandDefaults} from '../../lib/command.js';

/** Of a host where any directory will do, and no limit holds. */
export const commandDefaults: CommandDefaults = {
	timeoutMs: 300_000,
	maxTimeoutMs: null,
	limits: new Set(),
	workingDir: '/home/agent',
	problemWithDirectory: () => null,
};
