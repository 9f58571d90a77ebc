import type {OutputRead} from '../lib/index.js';

/**
 * A piece of output as JSON. Whoever asks again from `next_offset` gets every byte once: a character that is not
 * complete yet is left for the next piece. What is not UTF-8 is marked with U+FFFD.
 * @param isTail - Asked for from the end: then a character that was cut in two there is left out.
 */
export function outputJson(processId: string, piece: OutputRead, isTail: boolean): object {
	const {stream, gap, totalBytes, isEnd} = piece;
	const skipped = isTail && piece.offset > 0 ? continuationBytes(piece.bytes) : 0;
	const rest = piece.bytes.subarray(skipped);
	const bytes = isEnd ? rest : rest.subarray(0, wholeCharacters(rest));
	const offset = piece.offset + skipped;
	const nextOffset = offset + bytes.length;
	return {
		process_id: processId,
		stream,
		offset,
		next_offset: nextOffset,
		total_bytes: totalBytes,
		gap,
		truncated: gap !== null || nextOffset < totalBytes || (isTail && offset > 0),
		text: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'),
	};
}

/** How many of the bytes there are up to the end of the last character that is complete (RFC 3629 section 3). */
export function wholeCharacters(bytes: Uint8Array): number {
	for (let back = 1; back <= Math.min(3, bytes.length); back++) {
		const byte = bytes[bytes.length - back] ?? 0;
		if (byte >= 0xc0) {
			return characterLength(byte) > back ? bytes.length - back : bytes.length;
		}

		if (byte < 0x80) {
			break;
		}
	}

	return bytes.length;
}

function characterLength(firstByte: number): number {
	return firstByte >= 0xf0 ? 4 : firstByte >= 0xe0 ? 3 : 2;
}

/** Bytes at the beginning that belong to a character before: at most three. */
function continuationBytes(bytes: Uint8Array): number {
	const first = bytes.findIndex(byte => (byte & 0xc0) !== 0x80);
	return Math.min(3, first === -1 ? bytes.length : first);
}
