import {statfs} from 'node:fs/promises';
import type {Supervisor} from '../lib/index.js';

/** What a stranger may know: nothing here names a path, a user or a command. */
export interface Health {
	/** The answer to `GET /health`. */
	json(): Promise<object>;
	/** Says from now on what somebody should look after. */
	warn(warning: string): void;
}

export function createHealth(supervisor: Pick<Supervisor, 'state' | 'stateDir'>, version: string): Health {
	const warnings: string[] = [];
	return {
		warn: warning => warnings.push(warning),
		json: async () => {
			const {running, queued, containment, hasRoom} = supervisor.state();
			const disk = await diskJson(supervisor.stateDir);
			return {
				status: 'ok',
				version,
				uptime_seconds: Math.floor(process.uptime()),
				running,
				queued,
				containment,
				disk,
				warnings: [...warnings, ...diskWarnings(disk, hasRoom)],
			};
		},
	};
}

function diskWarnings(disk: object | null, hasRoom: boolean): string[] {
	if (disk === null) {
		return ['The state directory cannot be looked at, it may be gone: commands are refused'];
	}

	return hasRoom ? [] : ['The disk of the state directory has less than its reserve free: commands are refused'];
}

/** Of the file system that holds the state directory; `null` where it cannot be asked. */
async function diskJson(stateDir: string): Promise<object | null> {
	try {
		// bavail: what is reserved for root is not ours.
		const {bavail, blocks, bsize} = await statfs(stateDir);
		return {free_bytes: bavail * bsize, total_bytes: blocks * bsize};
	} catch {
		// It was removed under us.
		return null;
	}
}
