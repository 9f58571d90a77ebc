import {isUtf8} from 'node:buffer';
import type {IncomingMessage} from 'node:http';
import {asObject} from './fields.js';
import {Problem} from './problem.js';
import {printable} from './shown-text.js';
import {JsonInvalidError, parseStrictJson} from './strict-json.js';

/** Reads a body, never more than `maxBytes`. `onRead` is called before the first byte is waited for. */
export type BodyReader<T> = (request: IncomingMessage, maxBytes: number, onRead: () => void) => Promise<T>;

/**
 * Reads the body of a request as JSON; `undefined` where there is none. Never holds more than `maxBytes`.
 * @param onRead - Called before the first byte is waited for, and only if there is a body to read.
 * @throws {Problem} 400, 413 or 415.
 */
export async function readJsonBody(
	request: IncomingMessage,
	maxBytes: number,
	onRead: () => void = () => undefined,
): Promise<unknown> {
	if (hasBody(request)) {
		assertJson(request.headers['content-type']);
	}

	const bytes = await readBodyBytes(request, maxBytes, onRead);
	return bytes.length === 0 ? undefined : parse(bytes);
}

/**
 * The same for bytes of any type: nothing where there is no body.
 * @throws {Problem} 400, 413 or 415.
 */
export async function readBodyBytes(
	request: IncomingMessage,
	maxBytes: number,
	onRead: () => void = () => undefined,
): Promise<Buffer> {
	if (!hasBody(request)) {
		return Buffer.alloc(0);
	}

	assertPlain(request.headers['content-encoding']);
	if (lengthOf(request) > maxBytes) {
		throw tooLarge(maxBytes);
	}

	onRead();
	return readBytes(request, maxBytes);
}

/** Enough to name what was meant by it. */
const maxUnwantedBytes = 65_536;

/**
 * Where none is taken: what is sent all the same was meant to narrow what is done, and must not be passed over.
 * @throws {Problem} 400 that names its first field; 413.
 */
export async function refuseBody(request: IncomingMessage, maxBytes: number, onRead: () => void): Promise<void> {
	const bytes = await readBodyBytes(request, Math.min(maxBytes, maxUnwantedBytes), onRead);
	// Official clients send empty ones.
	const [field] = bytes.length === 0 ? [] : Object.keys(asObject(parse(bytes))).map(printable);
	if (field !== undefined) {
		throw new Problem('INVALID_REQUEST', `${field} is not a known field: no body is taken here`, {field});
	}
}

function lengthOf({headers}: IncomingMessage): number {
	return Number(headers['content-length'] ?? 0);
}

/** Whether one is announced; it may be empty. */
export function hasBody(request: IncomingMessage): boolean {
	return lengthOf(request) > 0 || request.headers['transfer-encoding'] !== undefined;
}

/** Also where nothing is said of the type. */
export function isJson(contentType: string | undefined): boolean {
	const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
	return type === undefined || type === 'application/json' || /^[\w.-]+\/[\w.-]+\+json$/.test(type);
}

function assertJson(contentType: string | undefined): void {
	if (!isJson(contentType)) {
		throw new Problem('UNSUPPORTED_MEDIA_TYPE', 'The body must be JSON: send it with content-type: application/json');
	}
}

function assertPlain(contentEncoding: string | undefined): void {
	if (contentEncoding !== undefined && contentEncoding.trim().toLowerCase() !== 'identity') {
		throw new Problem('UNSUPPORTED_MEDIA_TYPE', 'The body must not be compressed: send it without content-encoding');
	}
}

function tooLarge(maxBytes: number): Problem {
	return new Problem('PAYLOAD_TOO_LARGE', `The body must be at most ${maxBytes} bytes`);
}

function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
	return new Promise((resolve, reject) => {
		const chunks: Buffer[] = [];
		let size = 0;
		const take = (chunk: Buffer) => {
			chunks.push(chunk);
			size += chunk.length;
			if (size > maxBytes) {
				request.off('data', take);
				chunks.length = 0;
				reject(tooLarge(maxBytes));
			}
		};
		request.on('data', take);
		request.once('end', () => resolve(Buffer.concat(chunks)));
		// After "end" this changes nothing.
		request.once('close', () => reject(new Problem('INVALID_REQUEST', 'The connection was closed within the body')));
	});
}

function parse(bytes: Buffer): unknown {
	if (!isUtf8(bytes)) {
		throw new Problem('INVALID_REQUEST', 'The body is not valid UTF-8');
	}

	try {
		// RFC 8259 section 8.1: a byte order mark may be ignored.
		return parseStrictJson(bytes.toString().replace(/^\uFEFF/, ''));
	} catch (error) {
		if (error instanceof JsonInvalidError) {
			throw new Problem('INVALID_REQUEST', `The body ${error.problem}`, {field: error.field});
		}

		throw error;
	}
}
