import {STATUS_CODES} from 'node:http';
import type {Duplex} from 'node:stream';
import {newRequestId} from './dispatcher.js';
import {Problem} from './problem.js';

const lingerMs = 1000;

/** What node could not read as a request, in words for the client; `null` where nobody is there to hear them. */
function toClientProblem(code: string | undefined): Problem | null {
	switch (code) {
		case 'ECONNRESET':
		case 'EPIPE':
			return null;
		case 'HPE_HEADER_OVERFLOW':
			return new Problem('HEADERS_TOO_LARGE', 'The headers of the request are too large');
		case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
			return new Problem('PAYLOAD_TOO_LARGE', 'The chunk extensions of the body are too large');
		case 'ERR_HTTP_REQUEST_TIMEOUT':
			return new Problem('REQUEST_TIMEOUT', 'The request took too long to arrive');
		default:
			return new Problem('INVALID_REQUEST', 'The request is not valid HTTP/1.1');
	}
}

/** Answers what never became a request, or not a whole one, and closes the connection. */
export function respondToClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
	const problem = toClientProblem(error.code);
	if (problem === null || !socket.writable) {
		socket.destroy();
		return;
	}

	const requestId = newRequestId();
	const body = JSON.stringify(problem.envelope(requestId));
	const head = [
		`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
		'content-type: application/json',
		`content-length: ${Buffer.byteLength(body)}`,
		'cache-control: no-store',
		`x-request-id: ${requestId}`,
		'connection: close',
	];
	socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
	destroyLater(socket);
}

/** As in `respond`: who is cut off in the middle of sending may never see the answer. */
function destroyLater(socket: Duplex): void {
	const timer = setTimeout(() => socket.destroy(), lingerMs).unref();
	socket.once('close', () => clearTimeout(timer));
	socket.resume();
}
