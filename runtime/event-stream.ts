import type {ServerResponse} from 'node:http';

/** One event of a stream (WHATWG HTML, "Server-sent events"). */
export interface ServerSentEvent {
	/** What a client that comes back sends as `Last-Event-ID`; no line breaks. */
	readonly id?: string;
	/** Its type; without one it is a `message`. */
	readonly event?: string;
	/** Never changed: what was made of it is kept. */
	readonly data: object;
}

/** Proxies and clients take a connection without a byte for dead after about half a minute. */
const heartbeatMs = 15_000;

/**
 * Writes events as they come, each only when the one before it was taken. Settles when they end or the client has left.
 * Who iterates is told of that by `return()`.
 */
export async function sendEvents(response: ServerResponse, events: AsyncIterable<ServerSentEvent>): Promise<void> {
	// Without the last one nginx would keep the events until it has a bufferful.
	response.writeHead(200, {'content-type': 'text/event-stream', 'x-accel-buffering': 'no'});
	if (response.req.method === 'HEAD') {
		response.end();
		return;
	}

	response.flushHeaders();
	// For one that does not read, a heartbeat would only be one more thing in its buffer.
	const heartbeat = setInterval(() => response.writableNeedDrain || response.write(':\n\n'), heartbeatMs);
	try {
		for await (const event of events) {
			if (response.destroyed) {
				return;
			}

			response.write(headOf(event));
			if (!response.write(dataOf(event))) {
				await drained(response);
			}
		}

		response.end();
	} finally {
		clearInterval(heartbeat);
	}
}

function headOf({id, event}: ServerSentEvent): string {
	return `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}data: `;
}

/** As it is sent. The same output goes to all who follow it, and making JSON of it costs more than sending it. */
const sentData = new WeakMap<object, Buffer>();

function dataOf({data}: ServerSentEvent): Buffer {
	const sent = sentData.get(data);
	if (sent !== undefined) {
		return sent;
	}

	// JSON has no line breaks of its own, so one line holds it.
	const text = Buffer.from(`${JSON.stringify(data)}\n\n`);
	sentData.set(data, text);
	return text;
}

/** Settles when the client has taken what was written, or has left. */
function drained(response: ServerResponse): Promise<void> {
	return new Promise(resolve => {
		const finish = () => {
			response.off('drain', finish);
			response.off('close', finish);
			resolve();
		};
		response.once('drain', finish);
		response.once('close', finish);
	});
}
