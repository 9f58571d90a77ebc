import type {ExecutionContext} from 'ava';

/** One event as it came over HTTP. */
export interface ReceivedEvent {
	readonly id: string | null;
	readonly event: string | null;
	readonly data: Record<string, unknown>;
}

/** The answer was no stream. */
export class NoStreamError extends Error {
	constructor(
		readonly status: number,
		text: string,
	) {
		super(`${status}: ${text}`);
	}
}

/** As `receiveEventsUntil`, at the latest until the end of the test. */
export function receiveEvents(
	t: ExecutionContext,
	url: string,
	token: string,
	headers: Readonly<Record<string, string>> = {},
): AsyncGenerator<ReceivedEvent> {
	const leaving = new AbortController();
	t.teardown(() => leaving.abort());
	return receiveEventsUntil(leaving.signal, url, token, headers);
}

/**
 * The events of one stream, until it ends, the connection breaks, the consumer stops or `signal` is aborted. Heartbeats are left out.
 * Rejects with `NoStreamError`.
 */
export async function* receiveEventsUntil(
	signal: AbortSignal,
	url: string,
	token: string,
	headers: Readonly<Record<string, string>>,
): AsyncGenerator<ReceivedEvent> {
	const leaving = new AbortController();
	const response = await fetch(url, {
		headers: {authorization: `Bearer ${token}`, ...headers},
		signal: AbortSignal.any([signal, leaving.signal]),
	});
	if (response.headers.get('content-type') !== 'text/event-stream' || response.body === null) {
		throw new NoStreamError(response.status, await response.text());
	}

	let received = '';
	try {
		for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
			received += chunk;
			const blocks = received.split('\n\n');
			received = blocks.pop() ?? '';
			yield* blocks.filter(block => !block.startsWith(':')).map(parseBlock);
		}
	} finally {
		leaving.abort();
	}
}

function parseBlock(block: string): ReceivedEvent {
	const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? null;
	return {id: field('id'), event: field('event'), data: JSON.parse(field('data') ?? 'null')};
}
