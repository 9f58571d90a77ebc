import type Sqlite from 'better-sqlite3';
import type {AnyProcessEvent} from '../events.js';
import type {Archive, ArchivedProcess} from '../ports.js';
import type {EndedProcess, ProcessId} from '../process.js';
import {recordForgotten} from '../transitions.js';
import type {Database} from './database.js';
import type {SqliteEventStore} from './event-store.js';
import {fromRow, type ProcessRow} from './process-row.js';
import {type Transact, transactionsOf} from './transaction.js';

type Statement = Sqlite.Statement<unknown[], unknown>;

interface ArchiveRow extends ProcessRow {
	readonly output_bytes: number | null;
}

/** The rows of ended processes. */
export class SqliteArchive implements Archive {
	readonly #totals: Statement;
	readonly #oldest: Statement;
	readonly #uncounted: Statement;
	readonly #count: Statement;
	readonly #delete: Statement;
	readonly #inTransaction: Transact;

	constructor(
		database: Database,
		private readonly events: SqliteEventStore,
	) {
		this.#totals = database.prepare(
			`SELECT count(*) AS count, coalesce(sum(output_bytes), 0) AS outputBytes
			FROM processes WHERE status = 'ended'`,
		);
		this.#oldest = database.prepare(
			`SELECT * FROM processes WHERE status = 'ended' AND (ended_at, sequence) > (?, ?)
			ORDER BY ended_at, sequence LIMIT ?`,
		);
		// Numbers first, so that only the index is gone through.
		this.#uncounted = database
			.prepare(
				`SELECT process_id FROM processes WHERE sequence IN (
					SELECT sequence FROM processes WHERE status = 'ended' AND output_bytes IS NULL
					ORDER BY ended_at, sequence LIMIT ?
				)`,
			)
			.pluck();
		this.#count = database.prepare('UPDATE processes SET output_bytes = ? WHERE process_id = ?');
		this.#delete = database
			.prepare("DELETE FROM processes WHERE process_id = ? AND status = 'ended' RETURNING event_sequences")
			.pluck();
		this.#inTransaction = transactionsOf(database);
	}

	totals(): {count: number; outputBytes: number} {
		return this.#totals.get() as {count: number; outputBytes: number};
	}

	listOldest(after: EndedProcess | null, limit: number): ArchivedProcess[] {
		const rows = this.#oldest.all(after?.state.endedAt ?? -Infinity, after?.sequence ?? 0, limit) as ArchiveRow[];
		// The query asks for ended ones.
		return rows.map(row => ({process: fromRow(row) as EndedProcess, outputBytes: row.output_bytes ?? 0}));
	}

	listUncounted(limit: number): ProcessId[] {
		return this.#uncounted.all(limit) as ProcessId[];
	}

	count(outputBytes: ReadonlyMap<ProcessId, number>): void {
		this.#inTransaction(() => {
			for (const [processId, bytes] of outputBytes) {
				this.#count.run(bytes, processId);
			}
		});
	}

	forget(process: EndedProcess, at: number): AnyProcessEvent | null {
		return this.#inTransaction(() => {
			const sequences = this.#delete.get(process.processId) as string | undefined;
			if (sequences === undefined) {
				return null;
			}

			this.events.drop(sequences);
			return this.events.append({record: recordForgotten(process), event: 'forgotten', at});
		});
	}
}
