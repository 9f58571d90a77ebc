import {setImmediate} from 'node:timers/promises';
import {cookieName} from '../command-schema.js';
import type {Clock, Terminator, TreeHandle} from '../ports.js';
import type {ProcessId, StartedProcess} from '../process.js';
import {inject, injectable, Tokens} from '../tokens.js';
import {isPopulated, killMembers, listMembers} from './cgroup.js';
import {isCredible} from './credibility.js';
import {isRunning, isSame, isSameRunning, listPids, readStat, readVariable, type Stat, sendSignal} from './proc.js';
import {isInGroupOf, ProcessTree} from './process-tree.js';
import {isTreeKillUsable, signalByTreeKill} from './tree-killer.js';

// tree-kill starts one ps for each process of the tree, one after the other.
const maxForTreeKill = 16;
/** Looks in a row that find nobody. The kernel's word on a cgroup needs no repetition. */
const quietLooks = {cgroup: 1, session: 3};
const shortestPauseMs = 2;
const longestPauseMs = 500;
/** What is alive so long after SIGKILL sleeps where no signal reaches it. */
const blockedAfterMs = 2000;

/** Each look reads all of /proc, in the way of everybody else: many kills at once take turns, and others come in between. */
class Turns {
	#last: Promise<void> = Promise.resolve();

	next(): Promise<void> {
		this.#last = this.#last.then(() => setImmediate());
		return this.#last;
	}
}

/** Ends trees by cgroup, process group, parent links and cookie. */
@injectable()
export class TreeTerminator implements Terminator {
	readonly #turns = new Turns();

	constructor(
		@inject(Tokens.clock) private readonly clock: Clock,
		@inject(Tokens.stateDir) private readonly stateDir: string,
	) {}

	target(process: StartedProcess): TreeHandle {
		const {processId, state} = process;
		return new TreeTarget(process, this.clock, isCredible(processId, state.start, this.stateDir), this.#turns);
	}

	survey(processes: readonly StartedProcess[]): ReadonlyMap<ProcessId, number> {
		const counts = new Map<ProcessId, number>();
		const inSessions: StartedProcess[] = [];
		for (const process of processes) {
			if (process.cgroup === null) {
				inSessions.push(process);
			} else if (isPopulated(process.cgroup)) {
				counts.set(process.processId, Math.max(1, listMembers(process.cgroup).length));
			}
		}

		for (const processId of inSessions.length === 0 ? [] : findOwners(inSessions, this.stateDir)) {
			counts.set(processId, (counts.get(processId) ?? 0) + 1);
		}

		return counts;
	}
}

/** For every living process that belongs to one of these, that one's id: one look for all. */
function* findOwners(processes: readonly StartedProcess[], stateDir: string): Generator<ProcessId> {
	const byId = new Map(processes.map(process => [process.processId, process]));
	const credible = processes.filter(({processId, state}) => isCredible(processId, state.start, stateDir));
	const byGroup = new Map(credible.map(process => [process.state.start.identity.pid, process]));
	for (const pid of listPids()) {
		const stat = readStat(pid);
		if (!isRunning(stat)) {
			continue;
		}

		const leader = byGroup.get(stat.groupId);
		const cookie = readVariable(pid, cookieName);
		if (leader !== undefined && isInGroupOf(leader.processId, leader.state.start, stat)) {
			yield leader.processId;
		} else if (cookie !== null && byId.has(cookie)) {
			yield cookie;
		}
	}
}

class TreeTarget implements TreeHandle {
	readonly #tree: ProcessTree;
	#abortReason: Error | null = null;

	constructor(
		private readonly process: StartedProcess,
		private readonly clock: Clock,
		private readonly isCredible: boolean,
		private readonly turns: Turns,
	) {
		this.#tree = new ProcessTree(process.processId, process.state.start, isCredible);
	}

	async ask(signal: NodeJS.Signals): Promise<void> {
		await this.turns.next();
		const members = this.#members();
		// All stand still until each has the signal: a shell whose child left before it was asked itself would go on to its
		// next command.
		for (const {pid} of members) {
			sendSignal(pid, 'SIGSTOP');
		}

		try {
			await this.#ask(signal, members);
		} finally {
			// Whoever is stopped takes no notice of a signal before it is continued. One that ended meanwhile may have left its
			// number to a stranger.
			for (const member of members.filter(isSame)) {
				sendSignal(member.pid, 'SIGCONT');
			}
		}
	}

	/** Once for each: many programs take a second SIGTERM as "at once". */
	async #ask(signal: NodeJS.Signals, members: readonly Stat[]): Promise<void> {
		const {pid: rootPid} = this.process.state.start.identity;
		const hasRoot = members.some(({pid}) => pid === rootPid);
		// Each time: a ps that has gone since would take us down.
		const isTreeKillFit = hasRoot && members.length <= maxForTreeKill && isTreeKillUsable();
		const walked = new Set(isTreeKillFit ? members.filter(stat => this.#tree.isDescendant(stat, members)) : []);
		for (const {pid} of members.filter(stat => !walked.has(stat))) {
			sendSignal(pid, signal);
		}

		if (isTreeKillFit) {
			await signalByTreeKill(rootPid, signal);
		}
	}

	async kill(onBlocked: () => void): Promise<void> {
		const looks = quietLooks[this.process.cgroup === null ? 'session' : 'cgroup'];
		const blockedAt = this.clock.uptimeMs() + blockedAfterMs;
		let pauseMs = shortestPauseMs;
		await this.turns.next();
		for (let quiet = this.#sweep() ? 0 : 1; quiet < looks; quiet = this.#sweep() ? 0 : quiet + 1) {
			if (pauseMs === shortestPauseMs && this.clock.uptimeMs() >= blockedAt) {
				pauseMs = longestPauseMs;
				onBlocked();
			}

			// Lets the event loop serve others, and the killed ones leave.
			await new Promise<void>(resolve => this.clock.setTimer(pauseMs, resolve));
			await this.turns.next();
			if (this.#abortReason !== null) {
				throw this.#abortReason;
			}
		}
	}

	isGone(): boolean {
		const {cgroup} = this.process;
		// The cheap questions first: this is asked again and again, and a look reads all of /proc.
		return (cgroup === null || !isPopulated(cgroup)) && !this.#isLeaderAlive() && this.#tree.look().length === 0;
	}

	#isLeaderAlive(): boolean {
		return this.isCredible && isSameRunning(this.process.state.start.identity);
	}

	signal(signal: NodeJS.Signals): boolean {
		const {processId, state} = this.process;
		const {start} = state;
		const leader = readStat(start.identity.pid);
		return (
			this.isCredible &&
			leader !== null &&
			isInGroupOf(processId, start, leader) &&
			sendSignal(-start.identity.pid, signal)
		);
	}

	abort(reason: Error): void {
		this.#abortReason = reason;
	}

	/** SIGKILL to all that one look finds. False: there was nobody. */
	#sweep(): boolean {
		const {cgroup} = this.process;
		const isHeld = cgroup !== null && isPopulated(cgroup);
		if (isHeld && !killMembers(cgroup)) {
			for (const pid of listMembers(cgroup)) {
				sendSignal(pid, 'SIGKILL');
			}
		}

		// Also beside a cgroup: its command joins it only after it was recorded.
		return this.#tree.sweep() > 0 || isHeld;
	}

	#members(): Stat[] {
		const found = this.#tree.look();
		const known = new Set(found.map(({pid}) => pid));
		const {cgroup} = this.process;
		const others = cgroup === null ? [] : listMembers(cgroup).filter(pid => !known.has(pid));
		return [...found, ...others.map(readStat).filter(isRunning)];
	}
}
