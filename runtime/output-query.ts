import * as v from 'valibot';
import {type OutputStream, outputStreams} from '../lib/index.js';
import {parseQuery} from './fields.js';
import {Problem} from './problem.js';
import type {Call} from './router.js';
import {wholeNumber} from './text-schemas.js';

const maxPiece = 1_048_576;
const formats = ['json', 'raw'] as const;

export const streamSchema = v.picklist(outputStreams, 'must be stdout or stderr');

export const outputQuerySchema = v.object({
	stream: v.optional(streamSchema, 'stdout'),
	offset: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER)),
	// A character has up to four bytes: whoever follows next_offset gets on.
	limit: v.optional(wholeNumber(4, maxPiece)),
	tail: v.optional(wholeNumber(0, maxPiece)),
	format: v.optional(v.picklist(formats, 'must be json or raw')),
});

/** Which part of an output is asked for. */
export interface OutputPart {
	readonly stream: OutputStream;
	readonly offset: number | undefined;
	readonly limit: number | undefined;
	readonly tail: number | undefined;
}

/** And how it is to come. */
export interface OutputQuery extends OutputPart {
	readonly format: (typeof formats)[number];
}

/** @throws {Problem} 400 */
export function parseOutputQuery({query, header}: Pick<Call, 'query' | 'header'>): OutputQuery {
	const {stream, offset, limit, tail, format} = parseQuery(outputQuerySchema, query);
	if (offset !== undefined && tail !== undefined) {
		throw new Problem('INVALID_REQUEST', 'offset and tail cannot be given together', {field: 'tail'});
	}

	return {stream, offset, limit, tail, format: format ?? preferredFormat(header('accept') ?? '')};
}

/** Bytes only for who names them, and not JSON before them. */
function preferredFormat(accept: string): OutputQuery['format'] {
	const bytes = weightOf('application/octet-stream', accept);
	return bytes > 0 && bytes >= weightOf('application/json', accept) ? 'raw' : 'json';
}

/** What a client thinks of a type that it names (RFC 9110 section 12.5.1): 0 where it does not, or does not take it. */
function weightOf(type: string, accept: string): number {
	const ranges = accept.split(',').map(range => range.split(';').map(part => part.trim().toLowerCase()));
	const [, ...parameters] = ranges.find(([name]) => name === type) ?? ['', 'q=0'];
	return Number(parameters.find(parameter => parameter.startsWith('q='))?.slice(2) ?? 1);
}
