import type {ProcessTable} from '../../lib/index.js';
import type {ProcessIdentity, Start} from '../../lib/process.js';
import {bootId} from './a-process.js';

/** Everybody is alive until the test says otherwise. */
export class FakeProcessTable implements ProcessTable {
	readonly bootId = bootId;
	readonly dead = new Set<number>();
	readonly signals: Array<{pid: number; signal: NodeJS.Signals}> = [];

	isAlive(identity: ProcessIdentity): boolean {
		return identity.bootId === this.bootId && !this.dead.has(identity.pid);
	}

	isShimAlive({identity, shimPid}: Start): boolean {
		return identity.bootId === this.bootId && !this.dead.has(shimPid);
	}

	isKeeper(identity: ProcessIdentity): boolean {
		return this.isAlive(identity);
	}

	signal({pid}: ProcessIdentity, signal: NodeJS.Signals): void {
		this.signals.push({pid, signal});
	}
}
