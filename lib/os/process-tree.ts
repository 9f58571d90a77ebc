import {cookieName} from '../command-schema.js';
import type {ProcessId, Start} from '../process.js';
import {isRunning, isSame, listPids, readStat, readVariable, type Stat, sendSignal} from './proc.js';

/**
 * The living processes of one command: its group, its descendants, and whoever carries its cookie.
 * Remembers whom it has seen, so that a process stays known when its parent has left.
 */
export class ProcessTree {
	/** Start ticks by pid: a pid alone may be a stranger's by now. */
	readonly #known = new Map<number, number>();

	constructor(
		private readonly processId: ProcessId,
		private readonly start: Start,
		/** Whether pid and session of `start` are its own; else only its cookie tells who belongs to it. */
		private readonly isCredible: boolean,
	) {
		if (isCredible) {
			this.#known.set(start.identity.pid, start.identity.startTicks);
		}
	}

	/** One look at everything that runs. */
	look(): Stat[] {
		const running = listPids()
			.map(readStat)
			.filter(isRunning)
			.filter(({pid}) => pid !== process.pid);
		const members = new Set<Stat>();
		for (let found = -1; found !== members.size; ) {
			// Again while it grows: a parent may be recognized after its child was passed over.
			found = members.size;
			for (const stat of running) {
				if (!members.has(stat) && (found === 0 ? this.#isMember(stat) : this.#isRelative(stat))) {
					this.#known.set(stat.pid, stat.startTicks);
					members.add(stat);
				}
			}
		}

		return [...members];
	}

	/**
	 * Goes through all processes once and sends SIGKILL to each member at the moment it is seen: newest
	 * first, stat and environment read back to back, since a chain that forks and leaves every few
	 * milliseconds is gone from any list before the list is complete.
	 */
	sweep(): number {
		let found = 0;
		for (const pid of listPids()) {
			const stat = pid === process.pid ? null : readStat(pid);
			if (isRunning(stat) && this.#isMember(stat)) {
				found++;
				this.#known.set(pid, stat.startTicks);
				// A whole group at once cannot fork away from the signal. Only a group that one of
				// ours leads: a member may have joined a group of strangers.
				sendSignal(stat.groupId === pid || this.#isInOurGroup(stat) ? -stat.groupId : pid, 'SIGKILL');
			}
		}

		return found;
	}

	/** Whether `stat` descends from the command by parent links alone. */
	isDescendant(stat: Stat, members: readonly Stat[]): boolean {
		const byPid = new Map(members.map(member => [member.pid, member]));
		for (let at: Stat | undefined = stat; at !== undefined; at = byPid.get(at.parentPid)) {
			if (at.pid === this.start.identity.pid) {
				return true;
			}
		}

		return false;
	}

	#isMember(stat: Stat): boolean {
		return this.#isRelative(stat) || readVariable(stat.pid, cookieName) === this.processId;
	}

	#isRelative(stat: Stat): boolean {
		return this.#known.get(stat.pid) === stat.startTicks || this.#isKnown(stat.parentPid) || this.#isInOurGroup(stat);
	}

	#isInOurGroup(stat: Stat): boolean {
		return this.#isKnown(stat.groupId) || (this.isCredible && isInGroupOf(this.processId, this.start, stat));
	}

	#isKnown(pid: number): boolean {
		const startTicks = this.#known.get(pid);
		return startTicks !== undefined && isSame({pid, startTicks});
	}
}

/**
 * Whether a process is in the group that a command leads, or led: the number of a group stays taken while it
 * has a member. Where the leader is gone, a stranger's group of that number would be in a session of its own, and
 * that of another command of the same keeper would carry another cookie.
 */
export function isInGroupOf(processId: ProcessId, {identity, sessionId}: Start, stat: Stat): boolean {
	if (stat.groupId !== identity.pid || stat.startTicks < identity.startTicks) {
		return false;
	}

	const leader = readStat(identity.pid);
	if (leader !== null) {
		return leader.startTicks === identity.startTicks;
	}

	return stat.sessionId === sessionId && [null, processId].includes(readVariable(stat.pid, cookieName));
}
