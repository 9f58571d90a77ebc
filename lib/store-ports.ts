/** What must be remembered. One adapter keeps all of it in one database. */
import type {AnyProcessEvent, EventType} from './events.js';
import type {EndedProcess, ProcessId, ProcessRecord, QueuedProcess} from './process.js';
import type {PublicStatus} from './process-view.js';

/** A change of state and the event that tells it, stored together or not at all. */
export interface Change {
	/** The process as it is from now on. */
	readonly record: ProcessRecord;
	/** What is told of it. */
	readonly event: EventType;
	/** Wall clock, milliseconds since 1970. */
	readonly at: number;
}

/** A key by which a caller may repeat a start without starting twice. */
export interface IdempotencyKey {
	/** As the caller gave it. */
	readonly key: string;
	/** Of the start: the same key of another owner is another key. */
	readonly owner: string | null;
	/** Tells commands apart: the same key with another fingerprint is a conflict. */
	readonly fingerprint: string;
}

/** Which processes are wanted. What is not given does not narrow. */
export interface ListQuery {
	/** The documented status, not the state. */
	readonly status?: PublicStatus | undefined;
	/** Exactly this name. */
	readonly name?: string | undefined;
	/** Only processes that this one started. */
	readonly owner?: string | undefined;
	/** Only processes with a lower sequence number. */
	readonly before?: number | undefined;
	/** At most so many. */
	readonly limit: number;
}

/** Remembers every process. All calls are synchronous; what returned is committed. */
export interface ProcessStore {
	/** The next sequence number is the store's to give. @throws {StorageFullError} */
	insert(
		process: Omit<QueuedProcess, 'sequence'>,
		at: number,
		key?: IdempotencyKey,
	): {process: QueuedProcess; event: AnyProcessEvent};
	/** Writes changes in one transaction and returns their numbered events. @throws {StorageFullError} */
	apply(changes: readonly Change[]): AnyProcessEvent[];
	/** Writes a fact that is nobody's news. */
	update(record: ProcessRecord): void;
	/** `null` where there is no such process. */
	find(processId: ProcessId): ProcessRecord | null;
	/** The process that was accepted with this key, and the fingerprint of its request. */
	findByIdempotencyKey(
		key: string,
		owner: string | null,
	): {readonly processId: ProcessId; readonly fingerprint: string} | null;
	/** Newest first. */
	list(query: ListQuery): ProcessRecord[];
	/** Everything that has not ended, oldest first. */
	listOpen(): ProcessRecord[];
	/** Ended ones with living descendants, or whose output was not counted since they ended, oldest first. */
	listPerhapsAlive(): EndedProcess[];
	/** Takes over a process found on disk that has no row. */
	adopt(process: Omit<ProcessRecord, 'sequence'>): void;
	/** Whether the list may have been lost with the database, and must be rebuilt from the run directories. */
	readonly isRebuilding: boolean;
	/**
	 * Takes over, all or none, those found on disk that have no row: the list is whole again, whatever crashes.
	 * @param at - Milliseconds since 1970. Events were lost, and with them their last number: it was below this one, and
	 * the next are above it, so that whoever comes back with a lost one is told.
	 */
	rebuild(processes: readonly Omit<ProcessRecord, 'sequence'>[], at: number): void;
	/** The last call. */
	close(): void;
}

/** Which events are wanted. What is not given does not narrow. */
export interface EventQuery {
	/** Only events with a higher number. */
	readonly after: number;
	/** Only events of this process. */
	readonly processId?: ProcessId | undefined;
	/** Only events of processes that this one started. */
	readonly owner?: string | undefined;
	/** Only events of these types. */
	readonly types?: readonly EventType[] | undefined;
	/** At most so many. */
	readonly limit: number;
}

/** Remembers events as long as their processes, and that a process was forgotten. All calls are synchronous. */
export interface EventStore {
	/** Of the newest event; 0 before the first. */
	lastSequence(): number;
	/**
	 * The highest number of all events that are no longer kept; 0 where all are. Of a process that is known all
	 * events are kept; to another owner it is not known.
	 */
	horizon(scope?: Pick<EventQuery, 'processId' | 'owner'>): number;
	/** In their order. */
	list(query: EventQuery): AnyProcessEvent[];
	/** Whether there is word that this process was forgotten. */
	wasForgotten(processId: ProcessId): boolean;
	/**
	 * Drops the oldest words of forgotten processes: from before a moment, and all but the newest `keep`. At most
	 * `limit` at once; says how many.
	 */
	dropForgotten(bounds: {readonly before: number; readonly keep: number; readonly limit: number}): number;
}

/** An ended process and what it costs to keep it. */
export interface ArchivedProcess {
	/** As it will always be. */
	readonly process: EndedProcess;
	/** Bytes on disk of what it wrote; 0 until they were counted. */
	readonly outputBytes: number;
}

/** What is kept of ended processes. All calls are synchronous. */
export interface Archive {
	/** How many there are, and the bytes of what they wrote, as far as counted. */
	totals(): {readonly count: number; readonly outputBytes: number};
	/** Whose end is the longest ago first; those that come after `after`. */
	listOldest(after: EndedProcess | null, limit: number): ArchivedProcess[];
	/** Those whose bytes were not counted since they last changed, whose end is the longest ago first. */
	listUncounted(limit: number): ProcessId[];
	/** Notes what was counted. */
	count(outputBytes: ReadonlyMap<ProcessId, number>): void;
	/**
	 * Removes the process with its idempotency keys and its events, and tells that it was forgotten: all of it or
	 * nothing. `null` where it is not there.
	 */
	forget(process: EndedProcess, at: number): AnyProcessEvent | null;
}
