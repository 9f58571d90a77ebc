import parseRange from 'range-parser';
import type {OutputStream, ProcessOutput} from '../lib/index.js';
import type {OutputPart} from './output-query.js';
import {Problem} from './problem.js';
import type {BytesAnswer} from './router.js';

const pieceBytes = 262_144;

/** Offsets of the first byte and of the one after the last. */
interface Span {
	readonly from: number;
	readonly to: number;
}

/** Output as exact bytes, all that was written by now unless a part is asked for: `Range`, or `offset`, `limit`, `tail`. */
export async function bytesAnswer(
	output: ProcessOutput,
	query: OutputPart,
	range: string | undefined,
): Promise<BytesAnswer> {
	const {stream} = query;
	const {baseOffset, totalBytes} = await output.read({stream, tail: 0});
	const asked = range === undefined ? null : parseSpan(range, totalBytes, query);
	const wanted = asked ?? querySpan(query, totalBytes, baseOffset);
	const span = {from: Math.min(wanted.to, Math.max(wanted.from, baseOffset)), to: wanted.to};
	if (asked !== null && span.from === span.to) {
		throw notSatisfiable(`Bytes before ${baseOffset} have been dropped`, totalBytes);
	}

	const contentRange = `bytes ${span.from}-${span.to - 1}/${totalBytes}`;
	return {
		status: asked === null ? 200 : 206,
		headers: {
			'content-type': 'application/octet-stream',
			'content-length': span.to - span.from,
			'accept-ranges': 'bytes',
			'x-output-offset': span.from,
			...(asked === null ? {} : {'content-range': contentRange}),
			...(wanted.from < span.from ? {'x-output-gap': `${wanted.from}-${span.from}`} : {}),
		},
		bytes: readSpan(output, stream, span),
	};
}

/** RFC 9110 section 14.2: what is no range of bytes, or several, is as if it was not there. */
function parseSpan(range: string, totalBytes: number, {offset, limit, tail}: OutputPart): Span | null {
	if (offset !== undefined || limit !== undefined || tail !== undefined) {
		throw new Problem('INVALID_REQUEST', 'Range cannot be given together with offset, limit or tail', {field: 'Range'});
	}

	const ranges = parseRange(totalBytes, wholeSuffixes(range, totalBytes));
	if (ranges === -1) {
		throw notSatisfiable(`There are ${totalBytes} bytes`, totalBytes);
	}

	const [first, second] = ranges === -2 || ranges.type !== 'bytes' ? [] : ranges;
	return first === undefined || second !== undefined ? null : {from: first.start, to: first.end + 1};
}

/** RFC 9110 section 14.1.2: a suffix that is longer than the content is all of it, and range-parser refuses it. */
function wholeSuffixes(range: string, totalBytes: number): string {
	return range.replaceAll(/(?<!\d\s*)-\s*(\d+)/g, (suffix, length) => (Number(length) > totalBytes ? '0-' : suffix));
}

/** As `ProcessOutput.read` does it: `limit` bytes of those that are kept, so that nobody takes what was dropped for the end. */
function querySpan({offset, limit, tail}: OutputPart, totalBytes: number, baseOffset: number): Span {
	const start = tail === undefined ? (offset ?? 0) : Math.max(baseOffset, totalBytes - tail);
	const from = Math.min(start, totalBytes);
	return {from, to: Math.min(totalBytes, Math.max(from, baseOffset) + (limit ?? totalBytes))};
}

function notSatisfiable(sentence: string, totalBytes: number): Problem {
	return new Problem('RANGE_NOT_SATISFIABLE', `${sentence}: nothing of the range can be sent`, {
		field: 'Range',
		headers: {'content-range': `bytes */${totalBytes}`},
	});
}

/** As fast as the client takes it. What is dropped before its turn cuts the answer off: its length was promised. */
async function* readSpan(output: ProcessOutput, stream: OutputStream, {from, to}: Span): AsyncGenerator<Uint8Array> {
	for (let offset = from; offset < to; ) {
		const {bytes, gap, nextOffset} = await output.read({stream, offset, limit: Math.min(pieceBytes, to - offset)});
		if (gap !== null || bytes.length === 0) {
			throw new Problem('CONFLICT', `Bytes from ${offset} on were dropped before the client took them`);
		}

		yield bytes;
		offset = nextOffset;
	}
}
