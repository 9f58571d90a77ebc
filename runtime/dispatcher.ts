import {randomUUID} from 'node:crypto';
import type {IncomingMessage, ServerResponse} from 'node:http';
import type {Logger, Supervisor} from '../lib/index.js';
import type {Authenticator} from './auth.js';
import {assertAllowed, type Caller, stranger} from './caller.js';
import {supervisorFor} from './caller-supervisor.js';
import {type BodyReader, hasBody, readBodyBytes, readJsonBody, refuseBody} from './json-body.js';
import {decodeQuery, parseTarget} from './path.js';
import {Problem, toProblem} from './problem.js';
import {respond, respondToOptions, respondWithProblem} from './respond.js';
import {type Answer, allowedMethods, type Call, pickRoute, type Router} from './router.js';
import {printable} from './shown-text.js';

export interface DispatcherOptions {
	readonly supervisor: Supervisor;
	readonly router: Router;
	readonly authenticator: Pick<Authenticator, 'authenticate'>;
	readonly logger: Logger;
	readonly maxBodyBytes: number;
	/** Told of every answer. */
	readonly onAnswer?: (status: number) => void;
}

/** Names one request, in its answer and in the log. A name that a client brings is not taken: it could be another's. */
export function newRequestId(): string {
	return `req_${randomUUID().replaceAll('-', '')}`;
}

/** Takes a request all its way: token, route, handler, answer, line in the log. */
export class Dispatcher {
	#isClosing = false;
	/** Of the requests whose handlers may wait. */
	readonly #waiting = new Set<AbortController>();

	constructor(private readonly options: DispatcherOptions) {}

	/** From now on every request is refused, and nobody waits any longer. */
	close(): void {
		this.#isClosing = true;
		for (const controller of this.#waiting) {
			controller.abort();
		}
	}

	/** Settles when the request is done with; never rejects. */
	async dispatch(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const {logger} = this.options;
		const facts: RequestFacts = {requestId: newRequestId(), method: request.method ?? '', route: null};
		const startedAt = performance.now();
		response.setHeader('x-request-id', facts.requestId);
		// Output can hold secrets.
		response.setHeader('cache-control', 'no-store');
		try {
			await this.#serve(request, response, facts);
		} catch (error) {
			await this.#refuse(error, response, facts);
		}

		this.options.onAnswer?.(response.statusCode);
		const line = {...facts, status: response.statusCode, ms: Math.round(performance.now() - startedAt)};
		// Those who ask how things are ask often.
		const isChange = facts.method !== 'GET' && facts.method !== 'HEAD' && facts.method !== 'OPTIONS';
		isChange ? logger.info(line, 'Request') : logger.debug(line, 'Request');
	}

	async #serve(request: IncomingMessage, response: ServerResponse, facts: RequestFacts): Promise<void> {
		const target = parseTarget(request.url ?? '');
		const caller = await this.#admit(target.path, request);
		const {routes, parameters} = this.options.router.match(target.path);
		if (routes.length === 0) {
			throw new Problem('RESOURCE_NOT_FOUND', `No such endpoint: ${facts.method} ${printable(target.path)}`);
		}

		if (facts.method === 'OPTIONS') {
			respondToOptions(response, allowedMethods(routes));
			return;
		}

		const route = pickRoute(routes, facts.method);
		facts.route = route.path;
		if (route.scope !== 'public') {
			assertAllowed(caller, route.scope);
		}

		if (route.takesBody !== true && hasBody(request)) {
			await this.#readBody(request, response, refuseBody);
		}

		const goneSignal = () => this.#goneSignal(response);
		const call: Call = {
			supervisor: supervisorFor(caller, this.options.supervisor),
			parameters,
			query: decodeQuery(target.query),
			header: name => headerOf(request, name),
			readBody: () => this.#readBody(request, response, readJsonBody),
			readBytes: () => this.#readBody(request, response, readBodyBytes),
			get gone() {
				return goneSignal();
			},
		};
		const answer = await route.handle(call);
		facts.processId = processIdOf(answer);
		this.#letGo(response);
		await respond(response, answer, () =>
			this.options.logger.warn({...facts}, 'A client that takes nothing of its answer is cut off'),
		);
	}

	/** Made for those who wait: it costs as much as all the rest of a short answer. */
	#goneSignal(response: ServerResponse): AbortSignal {
		const controller = new AbortController();
		// It may be asked for late.
		if (this.#isClosing || response.destroyed) {
			controller.abort();
			return controller.signal;
		}

		this.#waiting.add(controller);
		response.once('close', () => {
			this.#waiting.delete(controller);
			controller.abort();
		});
		return controller.signal;
	}

	/** While closing, no connection is kept for another request. */
	#letGo(response: ServerResponse): void {
		if (this.#isClosing) {
			response.shouldKeepAlive = false;
		}
	}

	/** Before anything else is said of the path: a stranger learns nothing about what there is. */
	async #admit(path: string, {headers, httpVersion}: IncomingMessage): Promise<Caller> {
		if (this.#isClosing) {
			throw new Problem('SERVICE_UNAVAILABLE', 'nohupd is shutting down; commands that run go on');
		}

		if (headers.host === undefined && httpVersion === '1.1') {
			throw new Problem('INVALID_REQUEST', 'The header Host is missing (RFC 9112 section 3.2)');
		}

		return this.options.router.isPublic(path)
			? stranger
			: await this.options.authenticator.authenticate(headers.authorization);
	}

	#readBody<T>(request: IncomingMessage, response: ServerResponse, read: BodyReader<T>): Promise<T> {
		// Only who is welcome is asked to go on (RFC 9110 section 10.1.1).
		const isWaiting = request.headers.expect?.toLowerCase() === '100-continue';
		return read(request, this.options.maxBodyBytes, () => isWaiting && response.writeContinue());
	}

	async #refuse(error: unknown, response: ServerResponse, facts: RequestFacts): Promise<void> {
		const problem = toProblem(error);
		if (problem.code === 'INTERNAL_ERROR' && !isDisconnect(error)) {
			this.options.logger.error({...facts, error}, 'A request failed');
		}

		if (response.headersSent) {
			// Half an answer: the client must see that it is one.
			response.destroy();
			return;
		}

		this.#letGo(response);
		await respondWithProblem(response, problem, facts.requestId);
	}
}

interface RequestFacts {
	readonly requestId: string;
	readonly method: string;
	/** Never the path itself: it can hold what somebody took for a safe place. */
	route: string | null;
	/** Where the answer is about one process. */
	processId?: string | undefined;
}

function processIdOf(answer: Answer): string | undefined {
	const id = 'json' in answer && 'process_id' in answer.json ? answer.json.process_id : undefined;
	return typeof id === 'string' ? id : undefined;
}

function headerOf({headers}: IncomingMessage, name: string): string | undefined {
	const value = headers[name];
	return Array.isArray(value) ? value.join(', ') : value;
}

/** A client may leave in the middle of an answer: that is nobody's mistake. */
function isDisconnect(error: unknown): boolean {
	return error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
}
