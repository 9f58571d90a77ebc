import {execFile} from 'node:child_process';
import {statfsSync} from 'node:fs';
import type {Disk} from '../ports.js';

/** SQLite calls it an input or output error as well, where it cannot make a file longer. */
const nearlyNothing = 1024 * 1024;

/** Whether what went wrong is that the disk of a directory is full. */
export function isForWantOfRoom(error: unknown, directory: string): boolean {
	const code = error instanceof Error && 'code' in error ? String(error.code) : '';
	if (['ENOSPC', 'EDQUOT', 'SQLITE_FULL'].includes(code)) {
		return true;
	}

	const {bavail, bsize} = statfsSync(directory);
	return code.startsWith('SQLITE_IOERR') && bavail * bsize < nearlyNothing;
}

/** A flood of starts asks once. */
const rememberedMs = 1000;

/** The file system of a state directory, and fallocate(1) of util-linux. */
export class SystemDisk implements Disk {
	#freeBytes = 0;
	#lookedAt = Number.NEGATIVE_INFINITY;

	constructor(
		private readonly stateDir: string,
		private readonly fallocate: string | null,
	) {}

	/** As of at most a second ago. */
	freeBytes(): number {
		const now = performance.now();
		if (now - this.#lookedAt > rememberedMs) {
			const {bavail, bsize} = statfsSync(this.stateDir);
			this.#freeBytes = bavail * bsize;
			this.#lookedAt = now;
		}

		return this.#freeBytes;
	}

	punchHole(path: string, length: number): Promise<boolean> {
		const {fallocate} = this;
		if (fallocate === null) {
			return Promise.resolve(false);
		}

		const args = ['--punch-hole', '--keep-size', '--offset', '0', '--length', String(length), path];
		return new Promise((resolve, reject) => {
			execFile(fallocate, args, {env: {}}, error => {
				// An exit code: this file system cannot. Anything else: the program could not run, or was killed.
				if (error === null || typeof error.code === 'number') {
					resolve(error === null);
				} else {
					reject(error);
				}
			});
		});
	}
}
