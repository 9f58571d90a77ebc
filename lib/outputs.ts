import type {OutputRead, ProcessOutput, ReadOptions} from './api.js';
import {EventBus} from './event-bus.js';
import {follow} from './follow.js';
import type {OutputLog, ProcessStore} from './ports.js';
import type {ProcessId} from './process.js';
import {parseFollowOptions, parseReadOptions, Queries} from './queries.js';
import {SharedReads} from './shared-reads.js';
import type {OutputPiece, OutputStream} from './streams.js';
import {inject, injectable, Tokens} from './tokens.js';

/** Reads and follows what processes write. */
@injectable()
export class Outputs {
	/** Of processes that are followed. */
	readonly #reads = new Map<ProcessId, SharedReads>();

	constructor(
		@inject(Tokens.store) private readonly store: ProcessStore,
		@inject(Tokens.output) private readonly output: OutputLog,
		@inject(EventBus) private readonly bus: EventBus,
		@inject(Queries) private readonly queries: Queries,
	) {}

	/** @param closing - Aborted, with the reason, when the supervisor is closed. */
	of(processId: ProcessId, closing: AbortSignal): ProcessOutput {
		const {output, bus, queries} = this;
		const hasEnded = () => this.#hasEnded(processId);
		const share = () => this.#share(processId);
		return {
			read: async (options = {}) => {
				closing.throwIfAborted();
				return this.#read(processId, options);
			},
			async *follow(options = {}) {
				closing.throwIfAborted();
				const {stream, from, signal} = parseFollowOptions(options);
				queries.find(processId);
				const {reads, leave} = share();
				try {
					yield* follow({output, reads, bus, hasEnded, processId, stream, from, signal, closing});
				} finally {
					leave();
				}
			},
		};
	}

	#share(processId: ProcessId): {reads: SharedReads; leave: () => void} {
		const reads = this.#reads.get(processId) ?? new SharedReads(this.output, processId);
		this.#reads.set(processId, reads);
		reads.join();
		const leave = () => {
			reads.leave();
			if (!reads.isUsed) {
				this.#reads.delete(processId);
			}
		};
		return {reads, leave};
	}

	async #read(processId: ProcessId, options: ReadOptions): Promise<OutputRead> {
		const {stream, offset = 0, tail, limit} = parseReadOptions(options);
		this.queries.find(processId);
		// Asked before it is read: what was written before the end is then seen.
		const isEnded = this.#hasEnded(processId);
		const start = tail === undefined ? offset : this.#fromEnd(processId, stream, tail);
		const piece = upToEnd(await this.output.read(processId, stream, start, limit));
		return {stream, ...piece, isEnd: isEnded && piece.nextOffset >= piece.totalBytes};
	}

	/** Never in what was dropped: who asks for the end does not miss the beginning. */
	#fromEnd(processId: ProcessId, stream: OutputStream, tail: number): number {
		const {baseOffset, totalBytes} = this.output.extent(processId, stream);
		return Math.max(baseOffset, totalBytes - tail);
	}

	/** Or was forgotten. */
	#hasEnded(processId: ProcessId): boolean {
		const status = this.store.find(processId)?.state.status;
		return status === undefined || status === 'ended';
	}
}

/**
 * Who asks for more than there is goes on at the end: from where it asked, it would miss what is written before that, and
 * take it for nothing.
 */
function upToEnd(piece: OutputPiece): OutputPiece {
	const end = Math.max(piece.baseOffset, piece.totalBytes);
	return piece.offset > end ? {...piece, offset: end, nextOffset: end} : piece;
}
