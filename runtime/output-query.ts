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

	const wantsBytes = /(^|,)\s*application\/octet-stream\b/i.test(header('accept') ?? '');
	return {stream, offset, limit, tail, format: format ?? (wantsBytes ? 'raw' : 'json')};
}
