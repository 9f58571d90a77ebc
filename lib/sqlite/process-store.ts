import {rmSync} from 'node:fs';
import type Sqlite from 'better-sqlite3';
import type {AnyProcessEvent} from '../events.js';
import type {Change, IdempotencyKey, ListQuery, ProcessStore} from '../ports.js';
import {type EndedProcess, hasStatus, type ProcessId, type ProcessRecord, type QueuedProcess} from '../process.js';
import type {Database} from './database.js';
import type {SqliteEventStore} from './event-store.js';
import {KeptRecords} from './kept-records.js';
import {columns, factColumns, fromRow, type ProcessRow, stateColumns, toRow} from './process-row.js';
import {type Transact, transactionsOf} from './transaction.js';

type Statement = Sqlite.Statement<unknown[], unknown>;

/** Remembers processes, their idempotency keys and events in one SQLite database. */
export class SqliteProcessStore implements ProcessStore {
	readonly #database: Database;
	/** What waits has no more than that: to bind a value costs as much as to store it. */
	readonly #accept: Statement;
	readonly #adopt: Statement;
	readonly #update: Statement;
	readonly #change: Statement;
	readonly #insertKey: Statement;
	readonly #find: Statement;
	readonly #findKey: Statement;
	readonly #open: Statement;
	readonly #perhapsAlive: Statement;
	readonly #read: Statement;
	/** One for each set of conditions that was asked for. */
	readonly #lists = new Map<string, Statement>();
	readonly #kept = new KeptRecords();
	#isRebuilding: boolean;
	readonly #inTransaction: Transact;

	constructor(
		database: Database,
		private readonly events: SqliteEventStore,
		private readonly rebuildMark: string | null = null,
	) {
		this.#database = database;
		this.#isRebuilding = rebuildMark !== null;
		this.#accept = database.prepare(insertInto([...factColumns, 'status', 'public_status', 'event_sequences']));
		this.#adopt = database.prepare(insertInto(columns));
		// What it wrote is counted anew: descendants that it left behind go on writing.
		const assignments = [...stateColumns.map(name => `${name} = @${name}`), 'output_bytes = NULL'].join(', ');
		this.#update = database.prepare(`UPDATE processes SET ${assignments} WHERE process_id = @process_id`);
		// One statement: each that writes the row writes the whole of it.
		this.#change = database.prepare(
			`UPDATE processes SET ${assignments}, event_sequences = json_insert(event_sequences, '$[#]', @event)
			WHERE process_id = @process_id`,
		);
		this.#insertKey = database.prepare('INSERT INTO idempotency_keys (key, fingerprint, process_id) VALUES (?, ?, ?)');
		this.#find = database.prepare('SELECT sequence FROM processes WHERE process_id = ?').pluck();
		this.#findKey = database.prepare('SELECT process_id, fingerprint FROM idempotency_keys WHERE key = ?');
		this.#open = database.prepare("SELECT sequence FROM processes WHERE status <> 'ended' ORDER BY sequence").pluck();
		this.#perhapsAlive = database.prepare(
			"SELECT * FROM processes WHERE leftover > 0 OR (status = 'ended' AND output_bytes IS NULL) ORDER BY sequence",
		);
		this.#read = database.prepare('SELECT * FROM processes WHERE sequence = ?');
		this.#inTransaction = transactionsOf(database);
	}

	insert(
		process: Omit<QueuedProcess, 'sequence'>,
		at: number,
		key?: IdempotencyKey,
	): {process: QueuedProcess; event: AnyProcessEvent} {
		return this.#inTransaction(() => {
			const event = this.events.append({record: process, event: 'queued', at});
			const row = {...toRow(process), event_sequences: `[${event.sequence}]`};
			const {lastInsertRowid} = this.#accept.run(row);
			if (key !== undefined) {
				this.#insertKey.run(storedKey(key), key.fingerprint, process.processId);
			}

			return {process: {...process, sequence: Number(lastInsertRowid)}, event};
		});
	}

	apply(changes: readonly Change[]): AnyProcessEvent[] {
		return this.#inTransaction(() =>
			changes.map(change => {
				const {record} = change;
				const event = this.events.append(change);
				this.#kept.drop(record.sequence);
				this.#change.run({...toRow(record), event: event.sequence});
				return event;
			}),
		);
	}

	update(record: ProcessRecord): void {
		// Before: where the transaction fails, it is read again.
		this.#kept.drop(record.sequence);
		this.#update.run(toRow(record));
	}

	adopt(process: Omit<ProcessRecord, 'sequence'>): void {
		this.#adopt.run(toRow(process));
	}

	get isRebuilding(): boolean {
		return this.#isRebuilding;
	}

	rebuild(processes: readonly Omit<ProcessRecord, 'sequence'>[], at: number): void {
		this.#inTransaction(() => {
			if (processes.length > 0) {
				this.events.beginAbove(at);
			}

			for (const process of processes.filter(({processId}) => this.find(processId) === null)) {
				this.adopt(process);
			}
		});
		// On the disk before the mark goes: a power failure may take what only the journal has.
		this.#database.pragma('wal_checkpoint(TRUNCATE)');
		rmSync(this.rebuildMark ?? '', {force: true});
		this.#isRebuilding = false;
	}

	find(processId: ProcessId): ProcessRecord | null {
		const sequence = this.#find.get(processId) as number | undefined;
		return sequence === undefined ? null : this.#record(sequence);
	}

	findByIdempotencyKey(key: string, owner: string | null): {processId: ProcessId; fingerprint: string} | null {
		const row = this.#findKey.get(storedKey({key, owner})) as {process_id: string; fingerprint: string} | undefined;
		return row === undefined ? null : {processId: row.process_id, fingerprint: row.fingerprint};
	}

	list({status, name, owner, before, limit}: ListQuery): ProcessRecord[] {
		const conditions = [
			...(status === undefined ? [] : ['public_status = @status']),
			...(name === undefined ? [] : ['name = @name']),
			...(owner === undefined ? [] : ['owner = @owner']),
			...(before === undefined ? [] : ['sequence < @before']),
		];
		const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
		const sequences = this.#listStatement(where).all({status, name, owner, before, limit}) as number[];
		return sequences.map(sequence => this.#record(sequence));
	}

	#record(sequence: number): ProcessRecord {
		return this.#kept.find(sequence, () => fromRow(this.#read.get(sequence) as ProcessRow));
	}

	/** Numbers alone: an index has them, and most records are kept. */
	#listStatement(where: string): Statement {
		const kept = this.#lists.get(where);
		if (kept !== undefined) {
			return kept;
		}

		// A mere parameter as a limit is planned for, and the statement prepared anew whenever it is bound.
		const sql = `SELECT sequence FROM processes ${where} ORDER BY sequence DESC LIMIT @limit + 0`;
		const statement = this.#database.prepare(sql).pluck();
		this.#lists.set(where, statement);
		return statement;
	}

	listOpen(): ProcessRecord[] {
		return (this.#open.all() as number[]).map(sequence => this.#record(sequence));
	}

	listPerhapsAlive(): EndedProcess[] {
		return (this.#perhapsAlive.all() as ProcessRow[]).map(fromRow).filter(process => hasStatus(process, 'ended'));
	}

	close(): void {
		this.#database.close();
	}
}

/** The column holds one text: as it is where there is no owner. */
function storedKey({key, owner}: Pick<IdempotencyKey, 'key' | 'owner'>): string {
	return owner === null ? key : JSON.stringify([owner, key]);
}

function insertInto(names: readonly string[]): string {
	return `INSERT INTO processes (${names.join(', ')}) VALUES (${names.map(name => `@${name}`).join(', ')})`;
}
