import {createSecretKey} from 'node:crypto';
import {request as httpRequest, type IncomingHttpHeaders} from 'node:http';
import {connect} from 'node:net';
import type {ExecutionContext} from 'ava';
import {SignJWT} from 'jose';
import type {Process, ProcessWithOutput, Supervisor} from '../../lib/index.js';
import {Authenticator} from '../../runtime/auth.js';
import {Dispatcher} from '../../runtime/dispatcher.js';
import {EnvironmentFile} from '../../runtime/environment-file.js';
import {createHealth} from '../../runtime/health.js';
import type {Key} from '../../runtime/key.js';
import {createLogger} from '../../runtime/log.js';
import {type Route, Router} from '../../runtime/router.js';
import {createRoutes} from '../../runtime/routes.js';
import {type Patience, Server} from '../../runtime/server.js';
import {Statistics} from '../../runtime/statistics.js';
import {TokenCache} from '../../runtime/token-cache.js';
import {type Claims, createVerifier} from '../../runtime/verifier.js';

import {makeTempDir} from './temp-dir.js';

/** The HTTP side on a real port, before a supervisor that the test writes by hand. */

export const secret = 'a secret of the tests, long enough for HS256';
export const secretKey: Key = {kind: 'secret', secret: createSecretKey(Buffer.from(secret)), origin: 'the test'};

export interface TestServer {
	readonly port: number;
	readonly server: Server;
	/** Every line that was logged, on the most talkative level. */
	readonly log: string[];
	ask(method: string, target: string, options?: AskOptions): Promise<TestAnswer>;
}

export interface AskOptions {
	/** A string or bytes go as they are, anything else as JSON. */
	readonly body?: unknown;
	readonly headers?: Readonly<Record<string, string>>;
	/** Default: a good one. `null`: none. */
	readonly token?: string | null;
}

export interface TestAnswer {
	readonly status: number;
	readonly headers: IncomingHttpHeaders;
	readonly text: string;
	/** The body as JSON; `undefined` where there is none. */
	readonly json: Record<string, unknown>;
}

export interface TestServerOptions {
	readonly key?: Key;
	readonly claims?: Claims;
	readonly patience?: Partial<Patience>;
	readonly maxBodyBytes?: number;
	readonly now?: () => number;
	/** In place of those of the daemon. */
	readonly routes?: readonly Route[];
}

/** Has measured nothing. */
export const noMetrics = {render: async () => ({contentType: 'text/plain', text: ''})};

export async function openServer(
	t: ExecutionContext,
	supervisor: Partial<Supervisor> = {},
	{key = secretKey, claims = {}, patience, maxBodyBytes = 100_000, now = Date.now, routes}: TestServerOptions = {},
): Promise<TestServer> {
	const log: string[] = [];
	const logger = createLogger('debug', {write: (line: string) => log.push(line)});
	const environment = new EnvironmentFile(makeTempDir(t));
	const statistics = new Statistics();
	const health = createHealth(supervisor as Supervisor, '1.2.3');
	const dispatcher = new Dispatcher({
		// What a test does not write is not called.
		supervisor: supervisor as Supervisor,
		router: new Router(
			routes ?? createRoutes({version: '1.2.3', environment, statistics, health, metrics: noMetrics, now}),
		),
		authenticator: new Authenticator(
			await createVerifier(key, claims, now),
			new TokenCache({now, monotonicMs: () => performance.now()}),
			logger,
		),
		logger,
		maxBodyBytes,
	});
	const server = new Server(dispatcher, {
		headersMs: 10_000,
		requestMs: 25_000,
		lookMs: 5000,
		idleMs: 65_000,
		...patience,
	});
	const {port} = await server.listen({host: '127.0.0.1', port: 0});
	t.teardown(() => server.destroy());
	return {port, server, log, ask: (method, target, options) => ask(port, method, target, options)};
}

/** One request on a connection of its own. */
export async function ask(
	port: number,
	method: string,
	target: string,
	{body, headers = {}, token}: AskOptions = {},
): Promise<TestAnswer> {
	const bearer = token === undefined ? await mint() : token;
	const payload = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
	return new Promise((resolve, reject) => {
		const request = httpRequest({
			port,
			host: '127.0.0.1',
			method,
			path: target,
			agent: false,
			headers: {
				...(bearer === null ? {} : {authorization: `Bearer ${bearer}`}),
				...(payload === undefined ? {} : {'content-type': 'application/json'}),
				...(payload === undefined || 'transfer-encoding' in headers
					? {}
					: {'content-length': Buffer.byteLength(payload)}),
				...headers,
			},
		});
		request.on('error', reject);
		request.once('response', response => {
			const chunks: Buffer[] = [];
			response.on('data', chunk => chunks.push(chunk));
			response.on('error', reject);
			response.once('end', () => {
				const text = Buffer.concat(chunks).toString();
				const isJson = response.headers['content-type'] === 'application/json';
				const json = isJson && text !== '' ? JSON.parse(text) : undefined;
				resolve({status: response.statusCode ?? 0, headers: response.headers, text, json});
			});
		});
		request.end(payload);
	});
}

/** A token of the tests' secret. Times are in seconds since 1970. */
export function mint(payload: Record<string, unknown> = {}, key: Uint8Array = Buffer.from(secret)): Promise<string> {
	return new SignJWT(payload).setProtectedHeader({alg: 'HS256'}).sign(key);
}

/** Sends bytes on a connection of its own, and settles with all that comes until it is closed. */
export function exchange(port: number, ...pieces: (string | Uint8Array)[]): Promise<string> {
	return new Promise((resolve, reject) => {
		const socket = connect(port, '127.0.0.1');
		let received = '';
		socket.on('data', chunk => {
			received += chunk;
		});
		// A second one can follow the first: who is refused may still be writing.
		socket.on('error', reject);
		socket.once('close', () => resolve(received));
		for (const piece of pieces) {
			socket.write(piece);
		}
	});
}

/** A process as the library shows it; each is like the others except for what a test says. */
export function aProcess(facts: Partial<ProcessWithOutput> = {}): ProcessWithOutput {
	return {...base, ...facts};
}

const base: Process & ProcessWithOutput = {
	processId: 'proc_1',
	executionId: 'exec_1',
	name: null,
	owner: null,
	command: 'sleep 60',
	args: null,
	workingDir: '/srv',
	timeoutMs: 300_000,
	status: 'running',
	reason: null,
	stopping: null,
	pid: 4711,
	createdAt: Date.UTC(2026, 0, 1),
	startedAt: Date.UTC(2026, 0, 1),
	endedAt: null,
	durationMs: null,
	exitCode: null,
	signal: null,
	message: null,
	containment: 'session',
	leftover: 0,
	blocked: false,
	limits: null,
	stdin: false,
	ready: null,
	readyAt: null,
	readyTimedOutAt: null,
	stdout: '',
	stderr: '',
	stdoutBytes: 0,
	stderrBytes: 0,
	stdoutDropped: 0,
	stderrDropped: 0,
};
