import {Admission} from './admission.js';
import {Deadlines} from './deadlines.js';
import {EventBus} from './event-bus.js';
import type {EventType} from './events.js';
import type {Archive, Clock, IdempotencyKey, ProcessStore} from './ports.js';
import type {EndedProcess, ProcessRecord, QueuedProcess, ReadyFact, RunningProcess} from './process.js';
import {toProcess} from './process-view.js';
import {inject, injectable, Tokens} from './tokens.js';

const eventOf: Readonly<Record<ProcessRecord['state']['status'], EventType>> = {
	queued: 'queued',
	running: 'started',
	stopping: 'stopping',
	ended: 'ended',
};

/**
 * The one way a process changes its state: the store first, then whoever must act on it
 * (deadlines, admission), then those who only want to know.
 */
@injectable()
export class Ledger {
	constructor(
		@inject(Tokens.store) private readonly store: ProcessStore,
		@inject(Tokens.archive) private readonly archive: Archive,
		@inject(Tokens.clock) private readonly clock: Clock,
		@inject(Admission) private readonly admission: Admission,
		@inject(Deadlines) private readonly deadlines: Deadlines,
		@inject(EventBus) private readonly bus: EventBus,
	) {}

	/** Accepts a process. @throws {StorageFullError} */
	accept(process: Omit<QueuedProcess, 'sequence'>, key?: IdempotencyKey): QueuedProcess {
		const {process: accepted, event} = this.store.insert(process, process.createdAt, key);
		this.bus.announce(event);
		return accepted;
	}

	/** Commits new states in one transaction, in this order. */
	record(...records: readonly ProcessRecord[]): void {
		const at = this.clock.now();
		const events = this.store.apply(records.map(record => ({record, event: eventOf[record.state.status], at})));
		for (const record of records) {
			this.#act(record);
		}

		for (const event of events) {
			this.bus.announce(event);
		}
	}

	/** Tells those who wait for a process what could not be stored yet. */
	tellWaiting(record: ProcessRecord): void {
		this.bus.wake(toProcess(record));
	}

	/** Commits what the watch for readiness has found. That the time is over is a fact, and nobody's news. */
	recordReady(record: RunningProcess, {status, at}: ReadyFact): void {
		if (status === 'timed_out') {
			this.store.update(record);
			this.bus.wake(toProcess(record));
			return;
		}

		for (const event of this.store.apply([{record, event: 'ready', at}])) {
			this.bus.announce(event);
		}
	}

	/** From then on nobody knows the process. Again for one that was forgotten: nothing happens. */
	forget(process: EndedProcess): void {
		const event = this.archive.forget(process, this.clock.now());
		if (event !== null) {
			this.deadlines.release(process.processId);
			this.bus.announce(event);
		}
	}

	#act(record: ProcessRecord): void {
		if (record.state.status === 'running') {
			this.deadlines.hold(record);
			return;
		}

		this.deadlines.release(record.processId);
		if (record.state.status === 'ended') {
			this.admission.leave(record.processId);
		}
	}
}
