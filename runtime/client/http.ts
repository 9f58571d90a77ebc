import type {IncomingMessage, RequestOptions} from 'node:http';
import type {CannotError} from '../failure.js';
import {escaped} from '../shown-text.js';
import {DaemonAwayError, RefusedError} from './daemon-errors.js';
import type {Endpoint} from './endpoint.js';

/** One request. */
export interface Request {
	readonly method?: string;
	/** With its query. */
	readonly path: string;
	readonly headers?: Readonly<Record<string, string>>;
	/** Sent as JSON. */
	readonly body?: object;
	/** How long the connection may be silent; no limit unless given. */
	readonly idleMs?: number;
}

const maxErrorBytes = 65_536;

/** Settles with an answer of 2xx, its body not read yet. Rejects with `DaemonAwayError` or `RefusedError`. */
export async function send(endpoint: Endpoint, request: Request): Promise<IncomingMessage> {
	const answer = await exchange(endpoint, request);
	const status = answer.statusCode ?? 0;
	if (status >= 200 && status < 300) {
		return answer;
	}

	throw await refusal(endpoint, answer, status);
}

/** All of a body. Rejects with `DaemonAwayError` where it is cut off. */
export async function readText(answer: IncomingMessage): Promise<string> {
	const chunks: Buffer[] = [];
	try {
		for await (const chunk of answer) {
			chunks.push(chunk as Buffer);
		}
	} catch (error) {
		throw away(error);
	}

	return Buffer.concat(chunks).toString('utf8');
}

/** What a broken connection is for whoever asked. */
export function away(error: unknown): DaemonAwayError {
	return new DaemonAwayError(`The daemon has broken off: ${reason(error as Error)}`, true);
}

async function exchange(endpoint: Endpoint, request: Request): Promise<IncomingMessage> {
	const url = new URL(`${endpoint.url}${request.path}`);
	const {request: open} = await (url.protocol === 'https:' ? import('node:https') : import('node:http'));
	const body = request.body === undefined ? undefined : JSON.stringify(request.body);
	return new Promise((resolve, reject) => {
		const sent = open(url, optionsOf(request, endpoint, body), resolve);
		sent.on('timeout', () => sent.destroy(new DaemonAwayError(`No word from ${endpoint.url}`, true)));
		sent.on('error', error => reject(unanswered(endpoint, error)));
		sent.end(body);
	});
}

function optionsOf({method = 'GET', headers, idleMs}: Request, {token}: Endpoint, body?: string): RequestOptions {
	return {
		method,
		// Nothing is kept: the program ends when its last answer does.
		agent: false,
		...(idleMs === undefined ? {} : {timeout: idleMs}),
		headers: {
			authorization: `Bearer ${token}`,
			...(body === undefined ? {} : {'content-type': 'application/json', 'content-length': Buffer.byteLength(body)}),
			...headers,
		},
	};
}

function unanswered({url}: Endpoint, error: NodeJS.ErrnoException): DaemonAwayError {
	// It was cut off in the middle; all else means that there never was a connection.
	const wasThere = error.code === 'ECONNRESET' || error.code === 'EPIPE';
	return error instanceof DaemonAwayError
		? error
		: new DaemonAwayError(`No daemon answers at ${url}: ${reason(error)}`, wasThere);
}

/** Where a name has several addresses, Node wraps what happened at each into an error without a message. */
function reason(error: Error): string {
	return error.message || (error as NodeJS.ErrnoException).code || error.name;
}

async function refusal({url}: Endpoint, answer: IncomingMessage, status: number): Promise<CannotError> {
	const sentence = escaped(sentenceIn(await readText(answer)) ?? `${url} answered ${status}, which is not like nohupd`);
	if (status === 503) {
		return new DaemonAwayError(sentence, true);
	}

	return status === 401
		? new RefusedError(status, `${sentence}: ${url} takes other tokens; give one with NOHUPD_TOKEN or --token`)
		: new RefusedError(status, sentence);
}

function sentenceIn(text: string): string | null {
	try {
		const {error} = JSON.parse(text.slice(0, maxErrorBytes)) as {error?: unknown};
		return typeof error === 'string' ? error : null;
	} catch {
		// Something in between, a proxy perhaps, has answered.
		return null;
	}
}
