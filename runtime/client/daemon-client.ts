import {randomUUID} from 'node:crypto';
import type {IncomingMessage} from 'node:http';
import {
	type Health,
	isLive,
	type Page,
	readHealth,
	readMessage,
	readPage,
	readProcess,
	readStarted,
	type ShownProcess,
} from './answers.js';
import {DaemonAwayError} from './daemon-errors.js';
import type {FindEndpoint} from './endpoint.js';
import {away, type Request, readText, send} from './http.js';
import {type Patience, Persistence, usualPatience} from './persistence.js';
import {parseEvents, type ReceivedEvent} from './server-sent-events.js';

/** What shows that a command is ready: one of these. */
export type ReadySign = {readonly port: number} | {readonly http: string} | {readonly log: string};

/** A command as `POST /commands/background` takes it. */
export interface CommandFields {
	readonly command: string;
	readonly args?: readonly string[] | undefined;
	readonly name?: string | undefined;
	readonly timeout?: number | undefined;
	readonly working_dir?: string | undefined;
	readonly env?: Readonly<Record<string, string>> | undefined;
	readonly leftover?: string | undefined;
	readonly stdin?: boolean | undefined;
	readonly ready?: ReadySign | undefined;
}

/** Which part of the list. */
export interface ListQuery {
	readonly status?: string | undefined;
	readonly name?: string | undefined;
	readonly limit?: number | undefined;
	readonly cursor?: string | undefined;
}

/** Which events. */
export interface EventQuery {
	readonly after?: string | undefined;
}

/** Of every stream the daemon gives a sign of life every 15 seconds. */
const silenceMs = 45_000;
const waitSeconds = 20;

/**
 * The HTTP API of a daemon. Rejects with `DaemonAwayError`, `RefusedError`, or `CannotError` for an answer that makes
 * no sense.
 */
export class DaemonClient {
	/** One for all questions: a daemon that has answered any of them was there. */
	readonly #persistence: Persistence;

	constructor(
		private readonly findEndpoint: FindEndpoint,
		patience: Patience = usualPatience,
	) {
		this.#persistence = new Persistence(patience);
	}

	/**
	 * Starts a command, once: where the daemon breaks off before it has answered, it is asked again under the same key.
	 * Settles with the process's id.
	 */
	async start(command: CommandFields): Promise<string> {
		const headers = {'idempotency-key': randomUUID()};
		const request = {method: 'POST', path: '/commands/background', headers, body: command};
		const answer = await this.#askOnAndOn(request);
		return readStarted(answer).process_id;
	}

	async health(): Promise<Health> {
		return readHealth(await this.#ask({path: '/health', idleMs: silenceMs}));
	}

	async list(query: ListQuery): Promise<Page> {
		return readPage(await this.#askOnAndOn({path: `/execute/processes${queryOf({...query, tail_bytes: 0})}`}));
	}

	async get(processId: string): Promise<ShownProcess> {
		return readProcess(await this.#ask({path: `${pathOf(processId)}?tail_bytes=0`}));
	}

	/** Settles with what the daemon says when nothing of it is alive; the next daemon goes on with it. */
	async kill(processId: string, gracePeriod?: number): Promise<string> {
		const body = {process_id: processId, ...(gracePeriod === undefined ? {} : {grace_period: gracePeriod})};
		return readMessage(await this.#askOnAndOn({method: 'DELETE', path: '/execute/kill', body})).message;
	}

	/** Not asked again where the daemon breaks off: it may have been sent, and twice is not once. */
	async signal(processId: string, signal: string): Promise<string> {
		const request = {method: 'POST', path: `${pathOf(processId)}/signal`, body: {signal}};
		return readMessage(await this.#ask(request)).message;
	}

	async forget(processId: string): Promise<void> {
		await this.#ask({method: 'DELETE', path: pathOf(processId)});
	}

	/**
	 * Settles with the process once it has ended, also over a restart of the daemon; after so many seconds with it as it
	 * is then.
	 */
	async wait(processId: string, seconds = Number.POSITIVE_INFINITY): Promise<ShownProcess> {
		const end = performance.now() + seconds * 1000;
		for (;;) {
			const left = Math.max(0, end - performance.now()) / 1000;
			const timeout = Math.min(left, waitSeconds).toFixed(3);
			const path = `${pathOf(processId)}/wait${queryOf({timeout, tail_bytes: 0})}`;
			const process = readProcess(await this.#askOnAndOn({path, idleMs: silenceMs}));
			if (!isLive(process.status) || left <= waitSeconds) {
				return process;
			}
		}
	}

	/** Settles with the process once it is ready, or will not be seen to be, also over a restart of the daemon. */
	async ready(processId: string): Promise<ShownProcess> {
		const request = {path: `${pathOf(processId)}/ready${queryOf({timeout: waitSeconds})}`, idleMs: silenceMs};
		for (;;) {
			const process = readProcess(await this.#askOnAndOn(request));
			if (process.ready_at || process.ready_timed_out_at || !isLive(process.status)) {
				return process;
			}
		}
	}

	/** What a stream has by now, as its bytes come. */
	async output(processId: string, stream: string): Promise<IncomingMessage> {
		const headers = {accept: 'application/octet-stream'};
		return this.#send({path: `${pathOf(processId)}/output${queryOf({stream})}`, headers, idleMs: silenceMs});
	}

	/** What a process writes and then its end, each byte once, also over a restart of the daemon. */
	followOutput(processId: string, stream?: string): AsyncGenerator<ReceivedEvent> {
		return this.#follow(`${pathOf(processId)}/stream${queryOf({stream})}`);
	}

	/** What happens to all processes. Each event comes once, also over a restart of the daemon. */
	events(query: EventQuery): AsyncGenerator<ReceivedEvent> {
		return this.#follow(`/events${queryOf({...query})}`);
	}

	/** Never ends by itself. */
	async *#follow(path: string): AsyncGenerator<ReceivedEvent> {
		let lastId = '';
		for (;;) {
			const headers: Record<string, string> = lastId === '' ? {} : {'last-event-id': lastId};
			const answer = await this.#persistence.ask(() => this.#send({path, headers, idleMs: silenceMs}));
			try {
				for await (const event of parseEvents(bytesOf(answer))) {
					lastId = event.id ?? lastId;
					yield event;
				}

				throw new DaemonAwayError('The daemon has ended the stream', true);
			} catch (error) {
				this.#persistence.lost(error);
			}
		}
	}

	/** For what may be asked twice: while a daemon that was there is away, it is waited for. */
	#askOnAndOn(request: Request): Promise<string> {
		return this.#persistence.ask(() => this.#ask(request));
	}

	async #ask(request: Request): Promise<string> {
		return readText(await this.#send(request));
	}

	async #send(request: Request): Promise<IncomingMessage> {
		const answer = await send(await this.findEndpoint(), request);
		this.#persistence.found();
		return answer;
	}
}

/** What breaks in the connection, and not in the one who looks at its bytes, is told as `DaemonAwayError`. */
async function* bytesOf(answer: IncomingMessage): AsyncGenerator<Uint8Array> {
	const chunks = answer[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
	try {
		for (;;) {
			const next = await chunks.next().catch(error => Promise.reject(away(error)));
			if (next.done) {
				return;
			}

			yield next.value;
		}
	} finally {
		answer.destroy();
	}
}

function pathOf(processId: string): string {
	return `/execute/processes/${encodeURIComponent(processId)}`;
}

function queryOf(parameters: Readonly<Record<string, string | number | undefined>>): string {
	const query = new URLSearchParams();
	for (const [name, value] of Object.entries(parameters)) {
		if (value !== undefined) {
			query.set(name, String(value));
		}
	}

	return query.size === 0 ? '' : `?${query}`;
}
