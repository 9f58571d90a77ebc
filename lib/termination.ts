import {ShuttingDownError} from './errors.js';
import {Intents} from './intents.js';
import {Ledger} from './ledger.js';
import type {Clock, Confinement, Launcher, Logger, ProcessTable, Terminator, Timer, TreeHandle} from './ports.js';
import {
	type EndedProcess,
	hasStatus,
	type LiveProcess,
	type ProcessId,
	type ProcessRecord,
	type StartedProcess,
	type Stop,
	type StoppingProcess,
	type StopReason,
} from './process.js';
import {inject, injectable, Tokens} from './tokens.js';
import {recordEnd, recordStop} from './transitions.js';

const shortestLookMs = 2;
const longestLookMs = 100;
/** A full disk is not full for ever. */
const retryMs = 1000;
// How long a shim may take to write its record once nothing is left to wait for.
const recordPatienceMs = 5000;

/** How a tree is to be ended. */
export interface Manner {
	/** What it is asked with. */
	readonly signal: NodeJS.Signals;
	/** Until it is killed; 0: it is not asked. */
	readonly gracePeriodMs: number;
}

/** What is under way: how it was ordered, and how far it has come. */
interface Course {
	stop: Stop;
	/** Whether its grace period is over: nobody can want it sooner then. */
	isKilling: boolean;
	/** Writes down each change. */
	readonly note: (stop: Stop) => void;
}

interface Sequence<Result> {
	readonly done: Promise<Result>;
	readonly course: Course;
}

/**
 * Ends processes: intent, SIGTERM, grace period, SIGKILL, proof, and only then the end. One sequence for
 * each process, however many ask; after a crash the next supervisor goes on with it.
 */
@injectable()
export class Termination {
	readonly #sequences = new Map<ProcessId, Sequence<EndedProcess>>();
	/** Of those that have ended but left something behind. */
	readonly #leftovers = new Map<ProcessId, Sequence<void>>();
	/** Ended, and there was no room yet to store it. */
	readonly #unstored = new Map<ProcessId, EndedProcess>();
	#retry: Timer | null = null;
	readonly #trees = new Set<TreeHandle>();
	readonly #naps = new Map<Timer, () => void>();
	#isClosed = false;

	constructor(
		@inject(Tokens.launcher) private readonly launcher: Launcher,
		@inject(Tokens.terminator) private readonly terminator: Terminator,
		@inject(Tokens.confinement) private readonly confinement: Confinement,
		@inject(Tokens.processTable) private readonly processTable: ProcessTable,
		@inject(Tokens.clock) private readonly clock: Clock,
		@inject(Tokens.logger) private readonly logger: Logger,
		@inject(Ledger) private readonly ledger: Ledger,
		@inject(Intents) private readonly intents: Intents,
	) {}

	/** Settles when nothing of the process is alive. Rejects only when the supervisor is closed first. */
	stop(process: LiveProcess, why: StopReason, manner: Manner): Promise<EndedProcess> {
		const now = this.clock.uptimeMs();
		const {gracePeriodMs} = manner;
		const running = this.#sequences.get(process.processId);
		if (running !== undefined) {
			hasten(running.course, now + gracePeriodMs);
			return running.done;
		}

		const ended = this.#unstored.get(process.processId);
		if (ended !== undefined) {
			return Promise.resolve(ended);
		}

		const {stop} = recordStop(process, newStop(why, now, gracePeriodMs)).state;
		return this.#begin(process, stop, manner.signal);
	}

	/** Goes on with what an earlier supervisor, or the dead man's switch, began. */
	resume(process: LiveProcess, stop: Stop): Promise<EndedProcess> {
		const {processId} = process;
		const ended = this.#unstored.get(processId);
		return ended === undefined
			? (this.#sequences.get(processId)?.done ?? this.#begin(process, stop, 'SIGTERM'))
			: Promise.resolve(ended);
	}

	/** The process as it is known to be: also where its end could not be stored yet. */
	current(process: ProcessRecord): ProcessRecord {
		return this.#unstored.get(process.processId) ?? process;
	}

	/** Whether its end is ours to tell: also where the store does not know of that, for want of room. */
	isEnding(processId: ProcessId): boolean {
		return this.#sequences.has(processId) || this.#unstored.has(processId);
	}

	/** Ends what a process left behind. Its own end stays as it was. */
	endLeftover(process: StartedProcess, {signal, gracePeriodMs}: Manner): Promise<void> {
		const now = this.clock.uptimeMs();
		const running = this.#leftovers.get(process.processId);
		if (running !== undefined) {
			hasten(running.course, now + gracePeriodMs);
			return running.done;
		}

		return this.#beginLeftover(process, newStop('request', now, gracePeriodMs), signal);
	}

	/** Goes on with what an earlier supervisor began. */
	resumeLeftover(process: EndedProcess & StartedProcess, stop: Stop): Promise<void> {
		const running = this.#leftovers.get(process.processId);
		return running?.done ?? this.#beginLeftover(process, stop, 'SIGTERM');
	}

	isEndingLeftover(processId: ProcessId): boolean {
		return this.#leftovers.has(processId);
	}

	/** Settles when no sequence is under way any more. The next supervisor goes on with them. */
	async close(): Promise<void> {
		this.#isClosed = true;
		this.#retry?.cancel();
		for (const tree of this.#trees) {
			tree.abort(new ShuttingDownError('kill'));
		}

		for (const [timer, wake] of this.#naps) {
			timer.cancel();
			wake();
		}

		const all = [...this.#sequences.values(), ...this.#leftovers.values()];
		await Promise.allSettled(all.map(({done}) => done));
	}

	#begin(process: LiveProcess, stop: Stop, signal: NodeJS.Signals): Promise<EndedProcess> {
		const stopping = recordStop(process, stop);
		if (process.state.status !== 'stopping') {
			this.intents.declare(stopping);
		}

		const note = (changed: Stop) => this.intents.update({...stopping, state: {...stopping.state, stop: changed}});
		const course = {stop, isKilling: false, note};
		const done = this.#run(stopping, course, signal);
		this.#own(process.processId, this.#sequences, {done, course});
		return done;
	}

	#beginLeftover(process: StartedProcess, stop: Stop, signal: NodeJS.Signals): Promise<void> {
		const {processId} = process;
		const note = (changed: Stop) => {
			// One that is lost was not stopped by anybody: its record is not to say so.
			if (hasStatus(process, 'ended')) {
				this.intents.orderLeftover(process, changed);
			}
		};
		note(stop);
		const course = {stop, isKilling: false, note};
		const done = this.#endTree(process, course, signal, () =>
			this.logger.warn({processId}, 'What a process left behind is blocked'),
		);
		this.#own(processId, this.#leftovers, {done, course});
		return done;
	}

	/** Whoever asked is told of a failure; where nobody did (a deadline, a restart), the log is. */
	#own<Result>(processId: ProcessId, owned: Map<ProcessId, Sequence<Result>>, sequence: Sequence<Result>): void {
		owned.set(processId, sequence);
		sequence.done
			.finally(() => owned.delete(processId))
			.catch(error => {
				if (!(error instanceof ShuttingDownError)) {
					this.logger.error({error, processId}, 'A process could not be ended');
				}
			});
	}

	async #run(process: StoppingProcess, course: Course, signal: NodeJS.Signals): Promise<EndedProcess> {
		await this.#endTree(process, course, signal, () => change(course, {isSignaled: true, isBlocked: true}));
		return this.#settle(process);
	}

	async #endTree(
		process: StartedProcess,
		course: Course,
		signal: NodeJS.Signals,
		onBlocked: () => void,
	): Promise<void> {
		const tree = this.terminator.target(process);
		this.#trees.add(tree);
		try {
			if (!course.stop.isSignaled && this.clock.uptimeMs() < killAtUptimeMs(course)) {
				const askedAt = this.clock.uptimeMs();
				await tree.ask(signal);
				this.#assertOpen();
				// Asking can take its time on a busy machine: the grace period begins when all were asked.
				const tookMs = this.clock.uptimeMs() - askedAt;
				// The moment itself stays: what ended after it was ended by us.
				change(course, {isSignaled: true, gracePeriodMs: course.stop.gracePeriodMs + tookMs});
			}

			await this.#waitUntil(() => this.clock.uptimeMs() >= killAtUptimeMs(course) || tree.isGone());
			course.isKilling = true;
			// Also when all seem gone: its several looks are the proof.
			await tree.kill(onBlocked);
		} finally {
			this.#trees.delete(tree);
		}
	}

	async #settle(process: StoppingProcess): Promise<EndedProcess> {
		const giveUpAt = this.clock.uptimeMs() + recordPatienceMs;
		await this.#waitUntil(
			() =>
				this.launcher.read(process.processId).end !== null ||
				!this.processTable.isShimAlive(process.state.start) ||
				this.clock.uptimeMs() >= giveUpAt,
		);
		const {end} = this.launcher.read(process.processId);
		const observed = end ?? {exitCode: null, endedAt: this.clock.now(), durationMs: null};
		const {cgroup} = process;
		const ended = recordEnd(process, cgroup === null ? observed : {...observed, usage: this.confinement.usage(cgroup)});
		this.#store(ended);
		if (end === null) {
			this.launcher.closeRecord(process.processId, ended.state.endedAt);
		}

		if (cgroup !== null) {
			this.confinement.release(cgroup);
		}

		return ended;
	}

	/** Who waits for the end is told of it in any case; the store hears of it as soon as it has room. */
	#store(ended: EndedProcess): void {
		try {
			this.ledger.record(ended);
			this.#unstored.delete(ended.processId);
		} catch (error) {
			this.logger.error(
				{error, processId: ended.processId},
				'The end of a process could not be stored; it will be tried again',
			);
			this.#unstored.set(ended.processId, ended);
			this.ledger.tellWaiting(ended);
			this.#retry ??= this.clock.setTimer(retryMs, () => this.#storeAll());
		}
	}

	#storeAll(): void {
		this.#retry = null;
		for (const ended of this.#unstored.values()) {
			this.#store(ended);
		}
	}

	async #waitUntil(isDone: () => boolean): Promise<void> {
		for (let delayMs = shortestLookMs; ; delayMs = Math.min(delayMs * 2, longestLookMs)) {
			this.#assertOpen();
			if (isDone()) {
				return;
			}

			await this.#nap(delayMs);
		}
	}

	#nap(delayMs: number): Promise<void> {
		return new Promise(resolve => {
			const timer = this.clock.setTimer(delayMs, () => {
				this.#naps.delete(timer);
				resolve();
			});
			this.#naps.set(timer, resolve);
		});
	}

	#assertOpen(): void {
		if (this.#isClosed) {
			throw new ShuttingDownError('kill');
		}
	}
}

function newStop(why: StopReason, atUptimeMs: number, gracePeriodMs: number): Stop {
	return {why, atUptimeMs, gracePeriodMs, isSignaled: false, isBlocked: false};
}

function killAtUptimeMs({stop}: Course): number {
	return stop.atUptimeMs + stop.gracePeriodMs;
}

/** A later caller may want it sooner, never later. */
function hasten(course: Course, wantedAtUptimeMs: number): void {
	if (!course.isKilling && wantedAtUptimeMs < killAtUptimeMs(course)) {
		change(course, {gracePeriodMs: wantedAtUptimeMs - course.stop.atUptimeMs});
	}
}

function change(course: Course, changes: Partial<Stop>): void {
	course.stop = {...course.stop, ...changes};
	course.note(course.stop);
}
