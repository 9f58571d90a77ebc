import type Sqlite from 'better-sqlite3';
import type {AnyProcessEvent, EventType} from '../events.js';
import type {Change, EventQuery, EventStore} from '../ports.js';
import type {ProcessId, ProcessRecord} from '../process.js';
import {toProcess} from '../process-view.js';
import type {Database} from './database.js';
import {factsFromRow, type ProcessRow} from './process-row.js';
import {type Transact, transactionsOf} from './transaction.js';

type Statement = Sqlite.Statement<unknown[], unknown>;

/** A change of a process that may have no number of its own yet. */
interface NewEvent extends Omit<Change, 'record'> {
	readonly record: Omit<ProcessRecord, 'sequence'>;
}

/** A row of `events`, with that of its process where it is known. */
interface EventRow extends ProcessRow {
	readonly event_sequence: number;
	readonly event_at: number;
	readonly event_type: EventType;
	readonly event_state: string;
	readonly event_process: string | null;
}

/** A process is as its event says where that stands by itself, else what is known of it besides its state. */
const select = `
	SELECT events.sequence AS event_sequence, at AS event_at, type AS event_type, state AS event_state,
		process AS event_process, processes.*
	FROM events LEFT JOIN processes USING (process_id)
	WHERE events.sequence > @after AND (process IS NOT NULL OR processes.process_id IS NOT NULL)
		AND (@types IS NULL OR type IN (SELECT value FROM json_each(@types)))
		AND (@owner IS NULL OR iif(process IS NULL, processes.owner, json_extract(process, '$.owner')) = @owner)`;
const ofProcess = `
	AND events.sequence IN (
		SELECT value FROM processes, json_each(event_sequences) WHERE process_id = @processId
		UNION ALL SELECT sequence FROM events WHERE type = 'forgotten' AND process_id = @processId
	)`;
const inOrder = 'ORDER BY events.sequence LIMIT @limit';

/** Remembers events in the database of their processes. */
export class SqliteEventStore implements EventStore {
	readonly #database: Database;
	readonly #insert: Statement;
	readonly #last: Statement;
	readonly #all: Statement;
	readonly #ofProcess: Statement;
	readonly #horizon: Statement;
	readonly #raise: Statement;
	readonly #isKnown: Statement;
	readonly #forgotten: Statement;
	readonly #drop: Statement;
	readonly #dropForgotten: Statement;
	readonly #inTransaction: Transact;

	constructor(database: Database) {
		this.#database = database;
		this.#insert = database.prepare('INSERT INTO events (at, type, process_id, state, process) VALUES (?, ?, ?, ?, ?)');
		// The table forgets; its counter does not (sqlite.org/autoinc.html).
		this.#last = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'events'").pluck();
		this.#all = database.prepare(`${select} ${inOrder}`);
		this.#ofProcess = database.prepare(`${select} ${ofProcess} ${inOrder}`);
		this.#horizon = database.prepare('SELECT sequence FROM event_horizon').pluck();
		this.#raise = database.prepare('UPDATE event_horizon SET sequence = max(sequence, ?)');
		this.#isKnown = database.prepare(
			'SELECT 1 FROM processes WHERE process_id = @processId AND (@owner IS NULL OR owner = @owner)',
		);
		this.#forgotten = database.prepare("SELECT 1 FROM events WHERE process_id = ? AND type = 'forgotten'");
		this.#drop = database
			.prepare('DELETE FROM events WHERE sequence IN (SELECT value FROM json_each(?)) RETURNING sequence')
			.pluck();
		this.#dropForgotten = database
			.prepare(
				`DELETE FROM events WHERE sequence IN (
					SELECT sequence FROM events
					WHERE type = 'forgotten' AND (at < @before OR sequence <= coalesce((
						SELECT sequence FROM events WHERE type = 'forgotten' ORDER BY sequence DESC LIMIT 1 OFFSET @keep
					), 0))
					ORDER BY sequence LIMIT @limit
				) RETURNING sequence`,
			)
			.pluck();
		this.#inTransaction = transactionsOf(database);
	}

	/**
	 * Gives a change of a process its number, which the process's row is to be told (`event_sequences`). For the transaction
	 * that makes it true.
	 */
	append({record, event: type, at}: NewEvent): AnyProcessEvent {
		const {state, ...facts} = record;
		// Of all others the row has them; three events a command are written while somebody waits.
		const process = type === 'forgotten' ? JSON.stringify(facts) : null;
		const {lastInsertRowid} = this.#insert.run(at, type, record.processId, JSON.stringify(state), process);
		const sequence = Number(lastInsertRowid);
		return toEvent(sequence, at, type, record);
	}

	/** Gives no number up to this one any more: they may have been given by a database that is lost. */
	beginAbove(sequence: number): void {
		if (this.lastSequence() < sequence) {
			this.#database.exec("DELETE FROM sqlite_sequence WHERE name = 'events'");
			this.#database.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('events', ?)").run(sequence);
			this.#raise.run(sequence);
		}
	}

	/** Drops the events of a process, a JSON array. For the transaction that forgets it. */
	drop(sequences: string): void {
		this.#lose(this.#drop.all(sequences) as number[]);
	}

	lastSequence(): number {
		return (this.#last.get() as number | undefined) ?? 0;
	}

	horizon({processId, owner}: Pick<EventQuery, 'processId' | 'owner'> = {}): number {
		const isKnown = processId !== undefined && this.#isKnown.get({processId, owner: owner ?? null}) !== undefined;
		return isKnown ? 0 : (this.#horizon.get() as number);
	}

	list({after, processId, owner, types, limit}: EventQuery): AnyProcessEvent[] {
		const named = {after, limit, owner: owner ?? null, types: types === undefined ? null : JSON.stringify(types)};
		const rows = processId === undefined ? this.#all.all(named) : this.#ofProcess.all({...named, processId});
		return (rows as EventRow[]).map(row =>
			toEvent(row.event_sequence, row.event_at, row.event_type, recordFromRow(row)),
		);
	}

	wasForgotten(processId: ProcessId): boolean {
		return this.#forgotten.get(processId) !== undefined;
	}

	dropForgotten(bounds: {before: number; keep: number; limit: number}): number {
		return this.#inTransaction(() => {
			const dropped = this.#dropForgotten.all(bounds) as number[];
			this.#lose(dropped);
			return dropped.length;
		});
	}

	#lose(sequences: readonly number[]): void {
		if (sequences.length > 0) {
			this.#raise.run(Math.max(...sequences));
		}
	}
}

function recordFromRow(row: EventRow): ProcessRecord {
	// Those that were forgotten before there were owners name none.
	const facts = row.event_process === null ? factsFromRow(row) : {owner: null, ...JSON.parse(row.event_process)};
	return {...facts, state: JSON.parse(row.event_state)};
}

function toEvent(sequence: number, at: number, type: EventType, record: NewEvent['record']): AnyProcessEvent {
	const event = {sequence, at, process: toProcess(record)};
	if (type !== 'stopping') {
		return {type, ...event};
	}

	if (record.state.status !== 'stopping') {
		throw new Error(`${record.processId} is ${record.state.status}, not stopping`);
	}

	return {type, ...event, why: record.state.stop.why};
}
