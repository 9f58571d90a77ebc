import Sqlite from 'better-sqlite3';
import {Admission} from '../../lib/admission.js';
import {Deadlines} from '../../lib/deadlines.js';
import {EventBus} from '../../lib/event-bus.js';
import {EventFeed} from '../../lib/event-feed.js';
import type {AnyProcessEvent} from '../../lib/index.js';
import {Intents} from '../../lib/intents.js';
import {Ledger} from '../../lib/ledger.js';
import {Leftovers} from '../../lib/leftovers.js';
import {hasStatus, type ProcessId, type ProcessRecord, type QueuedProcess} from '../../lib/process.js';
import {ReadinessWatch} from '../../lib/readiness-watch.js';
import {Reaper} from '../../lib/reaper.js';
import {Recovery} from '../../lib/recovery.js';
import {Retention} from '../../lib/retention.js';
import type {Settings} from '../../lib/settings.js';
import {SqliteArchive} from '../../lib/sqlite/archive.js';
import type {Database} from '../../lib/sqlite/database.js';
import {SqliteEventStore} from '../../lib/sqlite/event-store.js';
import type {SqliteProcessStore} from '../../lib/sqlite/process-store.js';
import {Termination} from '../../lib/termination.js';
import {aQueuedProcess, type Facts} from './a-process.js';
import {FakeClock} from './fake-clock.js';
import {FakeConfinement} from './fake-confinement.js';
import {FakeLauncher} from './fake-launcher.js';
import {FakeProbe} from './fake-probe.js';
import {FakeProcessTable} from './fake-process-table.js';
import {FakeTerminator} from './fake-terminator.js';
import {openMemoryStore} from './memory-store.js';
import {RecordingLogger} from './recording-logger.js';

export const someSettings: Settings = {
	maxRunning: Number.POSITIVE_INFINITY,
	maxQueued: 1000,
	gracePeriodMs: 5000,
	defaultTimeoutMs: 300_000,
	maxTimeoutMs: null,
	containment: 'auto',
	output: {maxStreamBytes: 67_108_864, maxTotalBytes: 2_147_483_648, reserveBytes: 33_554_432},
	retention: {maxAgeMs: 60_000, maxEnded: 1000},
};

/** The parts of a supervisor around a store in memory; fakes stand where the outside world would be. */
export class Parts {
	readonly clock = new FakeClock();
	readonly confinement = new FakeConfinement();
	readonly launcher = new FakeLauncher();
	readonly probe = new FakeProbe();
	readonly processTable = new FakeProcessTable();
	readonly logger = new RecordingLogger();
	readonly terminator = new FakeTerminator(this.clock);
	/** What was announced. */
	readonly events: AnyProcessEvent[] = [];
	readonly database: Database = new Sqlite(':memory:');
	readonly settings: Settings;
	readonly store: SqliteProcessStore;
	readonly eventStore;
	readonly archive;
	readonly bus;
	readonly feed;
	readonly admission;
	readonly deadlines;
	readonly ledger;
	readonly intents;
	readonly termination;
	readonly leftovers;
	readonly readiness;
	readonly reaper;
	readonly recovery;
	readonly retention;

	/** What those that run have written. */
	readonly outputLimits = {heldBytes: 0};

	constructor(settings: Partial<Settings> = {}, {isRebuilding = false} = {}) {
		this.settings = {...someSettings, ...settings};
		const store = openMemoryStore({isRebuilding, database: this.database});
		const {clock, confinement, launcher, logger, processTable, terminator} = this;
		this.store = store;
		this.eventStore = new SqliteEventStore(this.database);
		this.archive = new SqliteArchive(this.database, this.eventStore);
		this.bus = new EventBus(logger);
		this.feed = new EventFeed(this.eventStore, this.bus);
		this.admission = new Admission(launcher, this.settings);
		this.deadlines = new Deadlines(clock, logger);
		this.ledger = new Ledger(store, this.archive, clock, this.admission, this.deadlines, this.bus);
		this.intents = new Intents(store, launcher, logger, this.ledger);
		this.termination = new Termination(
			launcher,
			terminator,
			confinement,
			processTable,
			clock,
			logger,
			this.ledger,
			this.intents,
		);
		this.leftovers = new Leftovers(
			store,
			terminator,
			confinement,
			processTable,
			clock,
			logger,
			this.deadlines,
			this.termination,
		);
		this.readiness = new ReadinessWatch(store, this.probe, clock, logger, this.bus, this.ledger);
		this.reaper = new Reaper(
			store,
			launcher,
			confinement,
			this.ledger,
			this.leftovers,
			this.termination,
			this.readiness,
		);
		this.recovery = new Recovery(
			store,
			this.eventStore,
			launcher,
			confinement,
			processTable,
			clock,
			this.settings,
			logger,
			this.ledger,
			this.reaper,
			this.admission,
			this.deadlines,
			this.leftovers,
			this.termination,
			this.readiness,
		);
		this.retention = new Retention(
			this.archive,
			this.eventStore,
			launcher,
			confinement,
			clock,
			this.settings,
			logger,
			this.ledger,
			this.leftovers,
			this.outputLimits,
		);
		for (const type of ['queued', 'started', 'ready', 'stopping', 'ended', 'forgotten'] as const) {
			this.bus.on(type, event => this.events.push({type, ...event} as AnyProcessEvent));
		}
	}

	/** Stores a process as an earlier supervisor left it. */
	put<Record extends ProcessRecord>(record: Record): Record {
		const {sequence, ...process} = record;
		this.store.adopt(process);
		return {...record, sequence: this.find(record.processId).sequence};
	}

	/** Accepts a process: its files, then its row. */
	accept(facts: Facts = {}): QueuedProcess {
		const {sequence, ...process} = aQueuedProcess(facts);
		this.launcher.prepare(process, new Map());
		return this.ledger.accept(process);
	}

	/** The process as the store has it. */
	find(processId: ProcessId): ProcessRecord {
		const process = this.store.find(processId);
		if (process === null) {
			throw new Error(`The store does not know ${processId}`);
		}

		return process;
	}

	/** Types of the announced events, in their order. */
	get announced(): string[] {
		return this.events.map(({type}) => type);
	}
}

/** How a process that has ended did so. */
export function endOf(process: ProcessRecord): {why: string; exitCode: number | null} {
	if (!hasStatus(process, 'ended')) {
		throw new Error(`${process.processId} is ${process.state.status}`);
	}

	const {why, exitCode} = process.state.end;
	return {why, exitCode};
}
