import {execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, realpathSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

export interface Places {
	/** Removed afterwards. */
	readonly directory: string;
	/** Where the state directory is to be. */
	readonly stateParent: string;
	/** Whether `stateParent` has a small file system to itself, which may be filled. */
	readonly canFill: boolean;
}

/**
 * Makes room for a run, as root with a small file system for its state, and clears it away at the end.
 * @param seconds - So long are commands started: each leaves some pages behind.
 */
export async function withPlaces<T>(work: (places: Places) => Promise<T>, seconds = 0): Promise<T> {
	const directory = mkdtempSync(join(realpathSync(tmpdir()), 'nohupd-torture-'));
	const stateParent = join(directory, 'disk');
	mkdirSync(stateParent);
	const canFill = mountSmall(stateParent, 256 + Math.ceil(seconds / 2));
	try {
		return await work({directory, stateParent, canFill});
	} finally {
		if (canFill) {
			execFileSync('umount', ['--lazy', stateParent]);
		}

		rmSync(directory, {recursive: true, force: true});
	}
}

function mountSmall(path: string, mebibytes: number): boolean {
	try {
		execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=0700`, 'tmpfs', path], {stdio: 'ignore'});
		return true;
	} catch {
		// Only root may: then the disk is not filled.
		return false;
	}
}
