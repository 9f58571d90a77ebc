import type {ServerSentEvent} from './event-stream.js';
import {decodeSegments} from './path.js';
import {Problem} from './problem.js';
import type {Scope} from './scope.js';
import type {SupervisorView} from './supervisor-view.js';

/** One request as a handler sees it. */
export interface Call {
	/** As the caller may use it: with `own` in the token, everybody else's processes do not exist. */
	readonly supervisor: SupervisorView;
	readonly parameters: Readonly<Record<string, string>>;
	readonly query: URLSearchParams;
	/** A header that may be given once; `undefined` where it is missing. */
	header(name: string): string | undefined;
	/** `undefined` where there is none. Rejects with `Problem`. */
	readBody(): Promise<unknown>;
	/** The body as it is, whatever its type; nothing where there is none. Rejects with `Problem`. */
	readBytes(): Promise<Uint8Array>;
	/** Aborted when the client has left, or the daemon shuts down: whoever waits is to end then. */
	readonly gone: AbortSignal;
}

/**
 * What a handler answers, with status 200: a value, pieces of JSON, events for as long as the client wants them, text or bytes.
 * Whatever can be refused is refused before: what comes later can only cut the answer off.
 */
export type Answer =
	| {readonly json: object}
	| {readonly pieces: AsyncIterable<string>}
	| {readonly events: AsyncIterable<ServerSentEvent>}
	| {readonly text: string | Uint8Array; readonly contentType: string}
	| BytesAnswer;

/** Bytes of a length that is known. */
export interface BytesAnswer {
	readonly status: 200 | 206;
	readonly headers: Readonly<Record<string, string | number>>;
	readonly bytes: AsyncIterable<Uint8Array>;
}

export interface Route {
	readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
	/** With names of parameters: `/execute/processes/{process_id}`. */
	readonly path: string;
	/** What a token must allow; `public` needs none. */
	readonly scope: Scope | 'public';
	/** Whether its handler reads a body. Elsewhere one that says anything is refused before the handler is asked. */
	readonly takesBody?: true;
	readonly handle: (call: Call) => Answer | Promise<Answer>;
}

/** The routes whose path is the one asked for: none, or one for each method. */
export interface Match {
	readonly routes: readonly Route[];
	readonly parameters: Readonly<Record<string, string>>;
}

/** A path as its segments: what must stand there, or the name of the parameter that does. */
type Pattern = ReadonlyArray<{readonly literal: string} | {readonly name: string}>;

export class Router {
	readonly #patterns: readonly {readonly route: Route; readonly pattern: Pattern}[];
	readonly #publicPaths: ReadonlySet<string>;

	constructor(routes: readonly Route[]) {
		this.#patterns = routes.map(route => ({route, pattern: toPattern(route.path)}));
		this.#publicPaths = new Set(routes.filter(({scope}) => scope === 'public').map(({path}) => path));
	}

	/** Whether whoever asks for this path needs no token. */
	isPublic(path: string): boolean {
		return this.#publicPaths.has(path);
	}

	/** @throws {Problem} 400 for a path that cannot be decoded. */
	match(path: string): Match {
		const given = decodeSegments(path);
		const routes: Route[] = [];
		let parameters: Record<string, string> = {};
		for (const {route, pattern} of this.#patterns) {
			const found = matchSegments(pattern, given);
			if (found !== null) {
				routes.push(route);
				parameters = found;
			}
		}

		return {routes, parameters};
	}
}

function toPattern(path: string): Pattern {
	const segments = path.split('/').slice(1);
	return segments.map(segment => {
		const [, name] = /^\{(\w+)\}$/.exec(segment) ?? [];
		return name === undefined ? {literal: segment} : {name};
	});
}

function matchSegments(pattern: Pattern, given: readonly string[]): Record<string, string> | null {
	if (pattern.length !== given.length) {
		return null;
	}

	const parameters: Record<string, string> = {};
	for (const [index, segment] of pattern.entries()) {
		const value = given[index] ?? '';
		if ('literal' in segment ? value !== segment.literal : value === '') {
			return null;
		}

		if ('name' in segment) {
			parameters[segment.name] = value;
		}
	}

	return parameters;
}

/**
 * The route for a method; GET answers HEAD as well.
 * @throws {Problem} 405
 */
export function pickRoute(routes: readonly Route[], method: string): Route {
	const wanted = method === 'HEAD' ? 'GET' : method;
	const route = routes.find(candidate => candidate.method === wanted);
	if (route === undefined) {
		const allow = allowedMethods(routes);
		throw new Problem('METHOD_NOT_ALLOWED', `${method} is not allowed here; allowed are ${allow}`, {headers: {allow}});
	}

	return route;
}

/** The methods of an `Allow` header (RFC 9110 section 10.2.1). */
export function allowedMethods(routes: readonly Route[]): string {
	const methods = routes.map(({method}) => method);
	return [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
}
