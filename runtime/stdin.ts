import * as v from 'valibot';
import {asObject, parseFields, parseQuery, refuseQuery} from './fields.js';
import {isJson} from './json-body.js';
import {Problem} from './problem.js';
import {readProcessId} from './process-id.js';
import type {Answer, Call} from './router.js';

interface Input {
	readonly data: string | Uint8Array;
	readonly close: boolean;
}

export const inputQuerySchema = v.object({
	close: v.optional(v.picklist(['true', 'false'], 'must be true or false'), 'false'),
});

export const inputBodySchema = v.object({
	data: v.optional(v.string('must be a string'), ''),
	encoding: v.optional(v.picklist(['utf8', 'base64'], 'must be utf8 or base64'), 'utf8'),
	close: v.optional(v.boolean('must be true or false')),
});

/** Writes to the standard input of a process, closes it, or both. */
export async function writeInput(call: Call): Promise<Answer> {
	const processId = readProcessId(call);
	const {data, close} = await readInput(call);
	await call.supervisor.write(processId, data, {close});
	return {json: {process_id: processId, bytes: Buffer.byteLength(data), closed: close}};
}

/** Closes the standard input of a process: the command reads its end. */
export async function closeInput(call: Call): Promise<Answer> {
	const processId = readProcessId(call);
	refuseQuery(call.query);
	await call.supervisor.closeInput(processId);
	return {json: {process_id: processId, bytes: 0, closed: true}};
}

async function readInput(call: Call): Promise<Input> {
	const inQuery = parseQuery(inputQuerySchema, call.query).close === 'true';
	const type = call.header('content-type');
	if (!isJson(type)) {
		const bytes = await call.readBytes();
		assertBytes(type, bytes);
		return {data: bytes, close: inQuery};
	}

	const body = await call.readBody();
	const {data, encoding, close} = parseFields('field', inputBodySchema, body === undefined ? {} : asObject(body));
	return {data: decode(data, encoding), close: close ?? inQuery};
}

/** What curl calls a form unless it is told otherwise may be meant as JSON or as bytes: nobody is to guess. */
function assertBytes(contentType: string | undefined, bytes: Uint8Array): void {
	if (bytes.length > 0 && contentType?.split(';', 1)[0]?.trim().toLowerCase() !== 'application/octet-stream') {
		throw new Problem(
			'UNSUPPORTED_MEDIA_TYPE',
			'The body must be bytes or JSON: send it with content-type: application/octet-stream or application/json',
		);
	}
}

/** Text is left to the library, which refuses what cannot be written. */
function decode(data: string, encoding: 'utf8' | 'base64'): string | Uint8Array {
	if (encoding === 'utf8') {
		return data;
	}

	// Buffer would skip what is not base64, and write something else than was meant.
	if (!v.is(v.union([v.literal(''), v.pipe(v.string(), v.base64())]), data)) {
		throw new Problem('INVALID_REQUEST', 'data is not base64 (RFC 4648 section 4)', {field: 'data'});
	}

	return Buffer.from(data, 'base64');
}
