/** Writes answers. Nothing here decides what they say. */
import type {ServerResponse} from 'node:http';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {sendEvents} from './event-stream.js';
import type {Problem} from './problem.js';
import type {Answer, BytesAnswer} from './router.js';

type Headers = Readonly<Record<string, string | number>>;

/** A client that takes no byte for so long is gone. */
const stallMs = 30_000;

/** How long to listen on to a client that still sends what nobody wants. */
const lingerMs = 1000;

/**
 * Settles when the answer is with the kernel, or the client has left.
 * @param onStall - Called before a client is cut off that takes nothing.
 */
export async function respond(response: ServerResponse, answer: Answer, onStall: () => void): Promise<void> {
	destroyOnStall(response, onStall);
	if ('json' in answer) {
		await sendJson(response, 200, answer.json);
		return;
	}

	if ('events' in answer) {
		await sendEvents(response, answer.events);
		return;
	}

	if ('bytes' in answer) {
		await sendBytes(response, answer);
		return;
	}

	if ('text' in answer) {
		await send(response, 200, answer.text, {'content-type': answer.contentType});
		return;
	}

	response.writeHead(200, {'content-type': 'application/json'});
	await pipeline(Readable.from(answer.pieces), response);
}

async function sendBytes(response: ServerResponse, {status, headers, bytes}: BytesAnswer): Promise<void> {
	response.writeHead(status, headers);
	if (response.req.method === 'HEAD') {
		response.end();
		return;
	}

	await pipeline(Readable.from(bytes), response);
}

export async function respondWithProblem(response: ServerResponse, problem: Problem, requestId: string): Promise<void> {
	destroyOnStall(response);
	await sendJson(response, problem.status, problem.envelope(requestId), problem.headers);
}

/** RFC 9110 section 9.3.7. */
export function respondToOptions(response: ServerResponse, allow: string): void {
	response.writeHead(204, {allow}).end();
}

function sendJson(response: ServerResponse, status: number, value: object, headers: Headers = {}): Promise<void> {
	return send(response, status, JSON.stringify(value), {...headers, 'content-type': 'application/json'});
}

async function send(
	response: ServerResponse,
	status: number,
	text: string | Uint8Array,
	headers: Headers,
): Promise<void> {
	response.writeHead(status, {...headers, 'content-length': Buffer.byteLength(text)});
	const isKept = response.shouldKeepAlive && headers['connection'] !== 'close';
	if (isKept || response.req.complete) {
		response.end(text);
		return;
	}

	// RFC 9112 section 9.6: closed at once, with bytes of the request unread, the connection would be
	// reset, and a client that listens only when it has sent all (Python's do) would never see the answer.
	// So it is told, and heard out for a moment.
	response.write(text);
	await endOfRequest(response, lingerMs);
	response.end();
}

function endOfRequest(response: ServerResponse, timeoutMs: number): Promise<void> {
	return new Promise(resolve => {
		const timer = setTimeout(resolve, timeoutMs);
		response.req.once('close', () => {
			clearTimeout(timer);
			resolve();
		});
		response.req.resume();
	});
}

function destroyOnStall(response: ServerResponse, onStall: () => void = () => undefined): void {
	response.setTimeout(stallMs, () => {
		onStall();
		response.destroy();
	});
}
