import {randomUUID} from 'node:crypto';
import {join} from 'node:path';
import {findOwnCgroup, listMembers, makeCgroup, removeCgroup} from '../../lib/os/cgroup.js';
import {eventually} from './eventually.js';
import {killQuietly} from './processes.js';

/** Why no real cgroup can be made here; `null` where one can. */
export const whyNoCgroup = findObstacle();

/** A cgroup for whoever needs one. */
export interface ScratchCgroup {
	readonly path: string;
	/** Kills whatever is in there and removes it. */
	close(): Promise<unknown>;
}

/** Makes one beside the cgroup that we are in. */
export function openScratchCgroup(): ScratchCgroup {
	const path = newPath();
	makeCgroup(path);
	const close = () =>
		eventually(() => {
			listMembers(path).forEach(killQuietly);
			return removeCgroup(path);
		});
	return {path, close};
}

function newPath(): string {
	return join(findOwnCgroup() ?? '/nowhere', `nohupd-test-${randomUUID().slice(0, 8)}`);
}

function findObstacle(): string | null {
	if (findOwnCgroup() === null) {
		return 'no cgroup v2 hierarchy is mounted';
	}

	const path = newPath();
	try {
		makeCgroup(path);
		removeCgroup(path);
		return null;
	} catch (error) {
		return `no cgroup may be made: ${(error as NodeJS.ErrnoException).code}`;
	}
}
