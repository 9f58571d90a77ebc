import type {ProcessTable} from '../ports.js';
import type {ProcessIdentity, Start} from '../process.js';
import {injectable} from '../tokens.js';
import {isKeeper} from './credibility.js';
import {isRunning, isSameRunning, readBootId, readStat, sendSignal} from './proc.js';

/** Asks procfs. */
@injectable()
export class ProcfsTable implements ProcessTable {
	readonly bootId = readBootId();

	isAlive(identity: ProcessIdentity): boolean {
		return identity.bootId === this.bootId && isSameRunning(identity);
	}

	isShimAlive({identity, shimPid}: Start): boolean {
		const stat = readStat(shimPid);
		// Whoever got the shim's number later began later than the command.
		return identity.bootId === this.bootId && isRunning(stat) && stat.startTicks <= identity.startTicks;
	}

	isKeeper(identity: ProcessIdentity, stateDir: string): boolean {
		return this.isAlive(identity) && isKeeper(identity.pid, stateDir);
	}

	signal(identity: ProcessIdentity, signal: NodeJS.Signals): void {
		if (this.isAlive(identity)) {
			sendSignal(identity.pid, signal);
		}
	}
}
