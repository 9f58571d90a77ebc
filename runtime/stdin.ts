import * as v from 'valibot';
import {asObject, parseFields, parseQuery} from './fields.js';
import {Problem} from './problem.js';
import {readProcessId} from './process-id.js';
import type {Answer, Call} from './router.js';

interface Input {
	readonly data: Uint8Array;
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
	return {json: {process_id: processId, bytes: data.length, closed: close}};
}

/** Closes the standard input of a process: the command reads its end. */
export async function closeInput(call: Call): Promise<Answer> {
	const processId = readProcessId(call);
	parseQuery(v.object({}), call.query);
	await call.supervisor.closeInput(processId);
	return {json: {process_id: processId, bytes: 0, closed: true}};
}

async function readInput(call: Call): Promise<Input> {
	const inQuery = parseQuery(inputQuerySchema, call.query).close === 'true';
	if (isBytes(call.header('content-type'))) {
		return {data: await call.readBytes(), close: inQuery};
	}

	const body = await call.readBody();
	const {data, encoding, close} = parseFields('field', inputBodySchema, body === undefined ? {} : asObject(body));
	return {data: decode(data, encoding), close: close ?? inQuery};
}

function isBytes(contentType: string | undefined): boolean {
	return contentType?.split(';', 1)[0]?.trim().toLowerCase() === 'application/octet-stream';
}

function decode(data: string, encoding: 'utf8' | 'base64'): Uint8Array {
	// Buffer would skip what is not base64, and write something else than was meant.
	if (encoding === 'base64' && !v.is(v.union([v.literal(''), v.pipe(v.string(), v.base64())]), data)) {
		throw new Problem('INVALID_REQUEST', 'data is not base64 (RFC 4648 section 4)', {field: 'data'});
	}

	return Buffer.from(data, encoding);
}
