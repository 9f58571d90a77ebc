import type {OutputLog} from './ports.js';
import type {ProcessId} from './process.js';
import type {OutputPiece, OutputStream} from './streams.js';

/** So many of the last pieces stay in memory while several follow, for those who are a little behind. */
const maxKept = 32;

/**
 * The output of one process as all its followers read it: what one has read is not read again for the others, who are
 * given the same bytes. What was written once never changes.
 */
export class SharedReads {
	/** `null`: nothing for others. Maps remember the order of insertion. */
	readonly #pieces = new Map<string, Promise<OutputPiece | null>>();
	#readers = 0;

	constructor(
		private readonly output: Pick<OutputLog, 'read'>,
		private readonly processId: ProcessId,
	) {}

	get isUsed(): boolean {
		return this.#readers > 0;
	}

	join(): void {
		this.#readers++;
	}

	leave(): void {
		this.#readers--;
		if (this.#readers < 2) {
			this.#pieces.clear();
		}
	}

	/** As `OutputLog.read`. */
	async read(stream: OutputStream, offset: number, limit: number): Promise<OutputPiece> {
		if (this.#readers < 2) {
			return this.output.read(this.processId, stream, offset, limit);
		}

		const key = `${stream} ${offset} ${limit}`;
		const others = this.#pieces.get(key);
		// Without a pause where there are none: several come at the same moment.
		const piece = others === undefined ? null : await others;
		// A read of others that found nothing began before that was written which we were told of, and nobody would
		// tell us again.
		return piece ?? this.#read(key, stream, offset, limit);
	}

	#read(key: string, stream: OutputStream, offset: number, limit: number): Promise<OutputPiece> {
		const reading = this.output.read(this.processId, stream, offset, limit);
		const shared = reading.then(
			piece => (piece.bytes.length > 0 && piece.gap === null ? piece : null),
			// It is told to whoever asked for it.
			() => null,
		);
		this.#pieces.set(key, shared);
		if (this.#pieces.size > maxKept) {
			const [oldest = key] = this.#pieces.keys();
			this.#pieces.delete(oldest);
		}

		return reading;
	}
}
