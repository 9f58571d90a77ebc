import {setImmediate} from 'node:timers/promises';
import {Deadlines} from './deadlines.js';
import type {Clock, Confinement, Logger, ProcessStore, ProcessTable, Terminator, Timer} from './ports.js';
import {type EndedProcess, hasStarted, hasStatus, type ProcessId, type StartedProcess} from './process.js';
import {Termination} from './termination.js';
import {inject, injectable, Tokens} from './tokens.js';
import {recordLeftover} from './transitions.js';

/** A look goes through all processes of the machine: so many ends share one. */
const firstLookMs = 20;
const nextLookMs = 1000;
/** What forks and leaves slips through one look in three, on a busy machine. */
const looksForOne = 8;
const atOnce = {signal: 'SIGKILL', gracePeriodMs: 0} as const;

/** Counts what ended processes left behind, and ends it where that was asked for. */
@injectable()
export class Leftovers {
	/** Ended, and perhaps not gone. */
	readonly #suspects = new Map<ProcessId, EndedProcess & StartedProcess>();
	/** Of these, one look has found nothing. */
	readonly #seenGone = new Set<ProcessId>();
	#timer: Timer | null = null;
	#isClosed = false;

	constructor(
		@inject(Tokens.store) private readonly store: ProcessStore,
		@inject(Tokens.terminator) private readonly terminator: Terminator,
		@inject(Tokens.confinement) private readonly confinement: Confinement,
		@inject(Tokens.processTable) private readonly processTable: ProcessTable,
		@inject(Tokens.clock) private readonly clock: Clock,
		@inject(Tokens.logger) private readonly logger: Logger,
		@inject(Deadlines) private readonly deadlines: Deadlines,
		@inject(Termination) private readonly termination: Termination,
	) {}

	/**
	 * At boot: those that an earlier supervisor knew of or was killed before it had looked at, and cgroups that it could not
	 * remove any more.
	 */
	recover(): void {
		for (const process of this.store.listPerhapsAlive().filter(hasStarted)) {
			this.watch(process);
		}

		for (const [processId, cgroup] of this.confinement.list()) {
			const process = this.store.find(processId);
			if (process === null) {
				this.confinement.release(cgroup);
			} else if (hasStatus(process, 'ended')) {
				this.watch(process);
			}
		}
	}

	/** Begins to look after a process that has ended. */
	watch(process: EndedProcess): void {
		if (!hasStarted(process) || process.state.start.identity.bootId !== this.processTable.bootId) {
			this.#release(process);
			return;
		}

		// The count of one that is watched already is newer than the caller's.
		this.#suspects.set(process.processId, this.#suspects.get(process.processId) ?? process);
		this.#arm(firstLookMs);
	}

	/** Those that have ended, and of which something may be alive. */
	get watched(): Iterable<ProcessId> {
		return this.#suspects.keys();
	}

	/** Whether it has ended, and nobody has seen yet whether it left anything behind. */
	isUndecided(processId: ProcessId): boolean {
		return this.#suspects.get(processId)?.state.leftover === 0;
	}

	/** What an ended process left behind was ended, and that was looked at: its count does not wait for the next look. */
	noteGone(process: EndedProcess): void {
		this.watch(process);
		const suspect = this.#suspects.get(process.processId);
		if (suspect !== undefined) {
			this.#settleOrLog(suspect, 0);
		}
	}

	/** Whether something of an ended process is alive now. Nothing outlives the boot that it was started in. */
	async isAny(process: StartedProcess): Promise<boolean> {
		if (process.state.start.identity.bootId !== this.processTable.bootId) {
			return false;
		}

		for (let look = 0; look < looksForOne; look++) {
			if (this.terminator.survey([process]).size > 0) {
				return true;
			}

			// Each reads all of /proc: others have their turn.
			await setImmediate();
		}

		return false;
	}

	/** Those of which nothing is alive: one look for all. Whoever is found alive is watched from then on. */
	withoutLiving(processes: readonly EndedProcess[]): EndedProcess[] {
		const unwatched = processes.filter(({processId}) => !this.#suspects.has(processId));
		const ofThisBoot = unwatched.filter(
			(process): process is EndedProcess & StartedProcess =>
				hasStarted(process) && process.state.start.identity.bootId === this.processTable.bootId,
		);
		const living = ofThisBoot.length === 0 ? new Map<ProcessId, number>() : this.terminator.survey(ofThisBoot);
		for (const process of unwatched) {
			if (living.has(process.processId)) {
				this.watch(process);
			}
		}

		return unwatched.filter(({processId}) => !living.has(processId));
	}

	/** What is not gone by now is left to the next supervisor. */
	close(): void {
		this.#isClosed = true;
		this.#timer?.cancel();
		for (const process of this.#suspects.values()) {
			this.#release(process);
		}
	}

	#arm(delayMs: number): void {
		if (!this.#isClosed) {
			this.#timer ??= this.clock.setTimer(delayMs, () => this.#look());
		}
	}

	#look(): void {
		this.#timer = null;
		const counts = this.terminator.survey([...this.#suspects.values()]);
		for (const process of this.#suspects.values()) {
			this.#settleOrLog(process, counts.get(process.processId) ?? 0);
		}

		if (this.#suspects.size > 0) {
			this.#arm(nextLookMs);
		}
	}

	#settleOrLog(process: EndedProcess & StartedProcess, count: number): void {
		try {
			this.#settle(process, count);
		} catch (error) {
			const {processId} = process;
			// A full disk, for instance: it stays a suspect.
			this.logger.error({error, processId}, 'What a process left behind could not be stored; it will be tried again');
		}
	}

	#settle(process: EndedProcess & StartedProcess, count: number): void {
		const {processId} = process;
		const current = count === process.state.leftover ? process : recordLeftover(process, count);
		if (current !== process) {
			this.store.update(current);
		}

		if (count === 0 && this.#isGone(current)) {
			this.#suspects.delete(processId);
			this.#seenGone.delete(processId);
			this.deadlines.release(processId);
			return;
		}

		this.#suspects.set(processId, current);
		if (count === 0) {
			return;
		}

		this.#seenGone.delete(processId);
		this.deadlines.hold(current);
		if (current.command.leftover === 'kill' && !this.termination.isEndingLeftover(processId)) {
			this.#endAtOnce(current);
		}
	}

	/** The kernel's word on a cgroup holds at once; a search must find nothing twice. */
	#isGone(process: EndedProcess): boolean {
		const {processId, cgroup} = process;
		if (cgroup !== null) {
			return this.#release(process);
		}

		const isSecond = this.#seenGone.has(processId);
		this.#seenGone.add(processId);
		return isSecond;
	}

	#release({cgroup}: EndedProcess): boolean {
		return cgroup === null || this.confinement.release(cgroup);
	}

	#endAtOnce(process: EndedProcess & StartedProcess): void {
		// Termination logs what fails.
		this.termination.endLeftover(process, atOnce).then(
			() => this.noteGone(process),
			() => undefined,
		);
	}
}
