import type {FollowOptions, OutputChunk, OutputRead, ProcessOutput, ReadOptions} from '../../lib/index.js';

/** Standard output of a process, all written before; what is below `baseOffset` was dropped. */
export class FakeOutput implements ProcessOutput {
	/** Of each read: from where. */
	readonly reads: number[] = [];
	followed: FollowOptions | null = null;

	constructor(
		private readonly written: Buffer,
		private readonly facts: {
			baseOffset?: number;
			hasEnded?: boolean;
			chunks?: OutputChunk[];
		} = {},
	) {}

	async read({stream = 'stdout', offset = 0, tail, limit = tail ?? 65_536}: ReadOptions = {}): Promise<OutputRead> {
		const {baseOffset = 0, hasEnded = true} = this.facts;
		const totalBytes = this.written.length;
		const asked = tail === undefined ? offset : Math.max(baseOffset, totalBytes - tail);
		const start = Math.min(Math.max(asked, baseOffset), totalBytes);
		const bytes = this.written.subarray(start, start + limit);
		const nextOffset = start + bytes.length;
		this.reads.push(asked);
		return {
			stream,
			bytes,
			offset: start,
			nextOffset,
			baseOffset,
			totalBytes,
			gap: start > asked ? {from: asked, to: start} : null,
			isEnd: hasEnded && nextOffset >= totalBytes,
		};
	}

	async *follow(options: FollowOptions = {}): AsyncGenerator<OutputChunk> {
		this.followed = options;
		yield* this.facts.chunks ?? [];
	}
}

/** Chunks of one stream, one after the other. */
export function aChunk(
	stream: 'stdout' | 'stderr',
	offset: number,
	bytes: Buffer | string,
	gapFrom?: number,
): OutputChunk {
	const buffer = Buffer.from(bytes);
	const gap = gapFrom === undefined ? null : {from: gapFrom, to: offset};
	return {stream, offset, nextOffset: offset + buffer.length, bytes: buffer, gap};
}
