import type {FollowOptions, OutputChunk, OutputRead, ProcessOutput} from '../../lib/index.js';
import {eventually} from './eventually.js';

/** All that is given, as text, stream by stream; complains of a chunk that does not begin where the last one ended. */
export async function followText(output: ProcessOutput, options: FollowOptions = {}) {
	const text = {stdout: '', stderr: ''};
	const next = {stdout: options.from?.stdout ?? 0, stderr: options.from?.stderr ?? 0};
	for await (const {stream, offset, nextOffset, bytes, gap} of output.follow(options)) {
		const expected = gap === null ? next[stream] : gap.to;
		if (offset !== expected || nextOffset !== offset + bytes.length) {
			throw new Error(`${stream} goes on at ${offset} to ${nextOffset}, not at ${expected}`);
		}

		text[stream] += Buffer.from(bytes).toString('latin1');
		next[stream] = nextOffset;
	}

	return text;
}

/** The next chunk. Fails where there is none. */
export async function nextChunk(chunks: AsyncIterator<OutputChunk>): Promise<OutputChunk> {
	const {value, done} = await chunks.next();
	if (done === true) {
		throw new Error('There is no more output');
	}

	return value;
}

/** The first read from the beginning that tells of a gap. */
export function firstGap(output: ProcessOutput): Promise<OutputRead> {
	return eventually(
		() => output.read(),
		({gap}) => gap !== null,
	);
}
