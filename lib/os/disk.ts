import {execFile} from 'node:child_process';
import {statfsSync} from 'node:fs';
import type {Disk} from '../ports.js';

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
