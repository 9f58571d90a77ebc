import type {OutputChunk} from './api.js';
import {Bell} from './bell.js';
import type {EventBus} from './event-bus.js';
import type {OutputLog} from './ports.js';
import type {ProcessId} from './process.js';
import type {SharedReads} from './shared-reads.js';
import {type OutputStream, outputStreams} from './streams.js';

/** A follower has so much in memory, and no more. */
const chunkBytes = 65_536;

/** What is followed, and by what it is heard of. */
export interface Following {
	readonly output: Pick<OutputLog, 'extent' | 'watch'>;
	readonly reads: Pick<SharedReads, 'read'>;
	readonly bus: Pick<EventBus, 'follow'>;
	readonly hasEnded: () => boolean;
	readonly processId: ProcessId;
	/** `undefined`: both. */
	readonly stream: OutputStream | undefined;
	readonly from: {readonly [Stream in OutputStream]: number};
	/** Ends it quietly. */
	readonly signal: AbortSignal | undefined;
	/** Ends it with its reason. */
	readonly closing: AbortSignal;
}

/** The output of one process as it comes, until the process has ended. */
export async function* follow(following: Following): AsyncGenerator<OutputChunk> {
	const {output, bus, processId, signal, closing} = following;
	const bell = new Bell();
	const stops = [
		output.watch(processId, bell.ring),
		bus.follow(processId, bell.ring),
		onAbort(closing, bell.ring),
		onAbort(signal, bell.ring),
	];
	try {
		yield* new Follower(following, bell).chunks();
	} finally {
		for (const stop of stops) {
			stop();
		}
	}
}

class Follower {
	readonly #positions: readonly Position[];
	#isEnded = false;

	constructor(
		private readonly following: Following,
		private readonly bell: Bell,
	) {
		const {stream, from} = following;
		this.#positions = (stream === undefined ? outputStreams : [stream]).map(name => new Position(name, from[name]));
	}

	async *chunks(): AsyncGenerator<OutputChunk> {
		for (;;) {
			this.#noteEnd();
			let isNews = false;
			for (const position of this.#positions) {
				const chunk = await this.#next(position);
				if (this.#isStopped()) {
					return;
				}

				if (chunk !== null) {
					isNews = true;
					yield chunk;
				}
			}

			if (!isNews && !(await this.#isMore())) {
				return;
			}
		}
	}

	/** Before the streams are read: what was written before the end is then seen. */
	#noteEnd(): void {
		const {hasEnded, output, processId} = this.following;
		if (this.#isEnded || !hasEnded()) {
			return;
		}

		this.#isEnded = true;
		// Descendants that it left behind may write for ever.
		for (const position of this.#positions) {
			position.end = output.extent(processId, position.stream).totalBytes;
		}
	}

	/** `null` where there is nothing new. */
	async #next(position: Position): Promise<OutputChunk | null> {
		const {stream, offset: from, end} = position;
		// Up to a border that is the same for all, so that followers who began elsewhere read the same pieces.
		const limit = Math.min(chunkBytes - (from % chunkBytes), end - from);
		if (limit <= 0) {
			return null;
		}

		const {bytes, offset, nextOffset, gap} = await this.following.reads.read(stream, from, limit);
		position.offset = nextOffset;
		return bytes.length === 0 && gap === null ? null : {stream, offset, nextOffset, bytes, gap};
	}

	#isStopped(): boolean {
		this.following.closing.throwIfAborted();
		return this.following.signal?.aborted ?? false;
	}

	/** Waits for it. */
	async #isMore(): Promise<boolean> {
		if (this.#isEnded) {
			return false;
		}

		await this.bell.heard();
		return true;
	}
}

/** How far a follower has come in one stream. */
class Position {
	/** Where to stop. */
	end = Number.POSITIVE_INFINITY;

	constructor(
		readonly stream: OutputStream,
		public offset: number,
	) {}
}

/** Calls back when the signal is aborted, at once if it is already, until the returned function is called. */
function onAbort(signal: AbortSignal | undefined, callback: () => void): () => void {
	if (signal?.aborted === true) {
		callback();
	}

	signal?.addEventListener('abort', callback);
	return () => signal?.removeEventListener('abort', callback);
}
