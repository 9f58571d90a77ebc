import {rmSync} from 'node:fs';
import {StorageFullError} from '../errors.js';
import type {AnyProcessEvent} from '../events.js';
import type {Change, IdempotencyKey, ListQuery, ProcessStore} from '../ports.js';
import {type EndedProcess, hasStatus, type ProcessId, type ProcessRecord, type QueuedProcess} from '../process.js';
import type {Database} from './database.js';
import {SqliteEventStore} from './event-store.js';
import {KeptRecords} from './kept-records.js';
import {columns, fromRow, type ProcessRow, stateColumns, toRow} from './process-row.js';

import Sqlite = require('better-sqlite3');

type Statement = Sqlite.Statement<unknown[], unknown>;

/** Remembers processes, their idempotency keys and events in one SQLite database. */
export class SqliteProcessStore implements ProcessStore {
	readonly #database: Database;
	readonly #insertProcess: Statement;
	readonly #updateState: Statement;
	readonly #insertKey: Statement;
	readonly #events: SqliteEventStore;
	readonly #find: Statement;
	readonly #findKey: Statement;
	readonly #open: Statement;
	readonly #perhapsAlive: Statement;
	readonly #read: Statement;
	/** One for each set of conditions that was asked for. */
	readonly #lists = new Map<string, Statement>();
	readonly #kept = new KeptRecords();
	#isRebuilding: boolean;
	readonly #inTransaction: <T>(work: () => T) => T;

	constructor(
		database: Database,
		stateDir: string,
		private readonly rebuildMark: string | null = null,
	) {
		this.#database = database;
		this.#events = new SqliteEventStore(database);
		this.#isRebuilding = rebuildMark !== null;
		this.#insertProcess = database.prepare(
			`INSERT INTO processes (${columns.join(', ')}) VALUES (${columns.map(name => `@${name}`).join(', ')})`,
		);
		// What it wrote is counted anew: descendants that it left behind go on writing.
		this.#updateState = database.prepare(
			`UPDATE processes SET ${stateColumns.map(name => `${name} = @${name}`).join(', ')}, output_bytes = NULL
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
		const transaction = database.transaction((work: () => unknown) => work());
		this.#inTransaction = <T>(work: () => T) => {
			try {
				return transaction.immediate(work) as T;
			} catch (error) {
				const isFull = error instanceof Sqlite.SqliteError && error.code === 'SQLITE_FULL';
				throw isFull ? new StorageFullError(stateDir, {cause: error}) : error;
			}
		};
	}

	insert(
		process: Omit<QueuedProcess, 'sequence'>,
		at: number,
		key?: IdempotencyKey,
	): {process: QueuedProcess; event: AnyProcessEvent} {
		return this.#inTransaction(() => {
			const {lastInsertRowid} = this.#insertProcess.run(toRow(process));
			if (key !== undefined) {
				this.#insertKey.run(storedKey(key), key.fingerprint, process.processId);
			}

			const record = {...process, sequence: Number(lastInsertRowid)};
			return {
				process: record,
				event: this.#events.append({record, event: 'queued', at}),
			};
		});
	}

	apply(changes: readonly Change[]): AnyProcessEvent[] {
		return this.#inTransaction(() =>
			changes.map(change => {
				this.update(change.record);
				return this.#events.append(change);
			}),
		);
	}

	update(record: ProcessRecord): void {
		// Before: where the transaction fails, it is read again.
		this.#kept.drop(record.sequence);
		this.#updateState.run(toRow(record));
	}

	adopt(process: Omit<ProcessRecord, 'sequence'>): void {
		this.#insertProcess.run(toRow(process));
	}

	get isRebuilding(): boolean {
		return this.#isRebuilding;
	}

	rebuild(processes: readonly Omit<ProcessRecord, 'sequence'>[], at: number): void {
		this.#inTransaction(() => {
			if (processes.length > 0) {
				this.#events.beginAbove(at);
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
