import {accessSync, constants, realpathSync} from 'node:fs';
import {basename, delimiter, join} from 'node:path';

import treeKill = require('tree-kill');

/** Settles when all are signalled. Its errors say only that the process left first. */
export async function signalByTreeKill(pid: number, signal: NodeJS.Signals): Promise<void> {
	await new Promise<void>(resolve => {
		treeKill(pid, signal, () => resolve());
	});
}

/**
 * Without a `ps` that knows `--ppid`, tree-kill throws where nobody can catch it, or finds nothing.
 * busybox has one that does not.
 */
export function isTreeKillUsable(path = process.env['PATH'] ?? ''): boolean {
	const ps = path
		.split(delimiter)
		.map(directory => join(directory, 'ps'))
		.find(isExecutable);
	return ps !== undefined && basename(realpathSync(ps)) === 'ps';
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
