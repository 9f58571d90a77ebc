import type {ProcessRecord} from '../process.js';

/** Of a usual command a record takes about a kilobyte; with its command it may have megabytes. */
const maxKept = 2000;
const maxCommandLength = 4096;

/**
 * Records of rows that were read lately, so that whoever looks again and again reads only what has changed.
 * Nobody else writes to the database, so a record is good until the store writes its row; and a number is never
 * given twice, so one whose row is gone is not asked for.
 */
export class KeptRecords {
	/** Maps remember the order of insertion: the first is the one that was read the longest time ago. */
	readonly #records = new Map<number, ProcessRecord>();

	/** The record with this number, read only where it is not kept. */
	find(sequence: number, read: () => ProcessRecord): ProcessRecord {
		const kept = this.#records.get(sequence);
		if (kept !== undefined) {
			return kept;
		}

		const record = read();
		if (commandLength(record) <= maxCommandLength) {
			this.#keep(sequence, record);
		}

		return record;
	}

	/** Its row is about to change. */
	drop(sequence: number): void {
		this.#records.delete(sequence);
	}

	#keep(sequence: number, record: ProcessRecord): void {
		this.#records.set(sequence, record);
		if (this.#records.size > maxKept) {
			const [oldest = sequence] = this.#records.keys();
			this.#records.delete(oldest);
		}
	}
}

function commandLength({command: {line, args}}: ProcessRecord): number {
	return line.length + (args?.reduce((sum, argument) => sum + argument.length + 1, 0) ?? 0);
}
