import {type ChildProcess, execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {Agent, request} from 'node:http';
import {createServer} from 'node:net';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {NoStreamError, type ReceivedEvent, receiveEventsUntil} from '../helpers/event-source.js';
import {eventually} from '../helpers/eventually.js';
import {findProcesses} from '../helpers/processes.js';
import {gracePeriodSeconds} from './shapes.js';

const program = fileURLToPath(new URL('../../runtime/main.js', import.meta.url));

export interface Answer {
	readonly status: number;
	readonly json: Record<string, unknown>;
}

/** Nobody answered, or not to the end: what was asked for may have been done or not. */
export class NoAnswerError extends Error {}

/** Longer than anything that is done to it, and than any grace period. */
const patienceMs = 30_000;

export interface DaemonOptions {
	readonly maxRunning: number;
	/** How many ended processes are remembered; default: its own. */
	readonly maxEnded?: number | undefined;
	readonly containment?: 'auto' | 'session';
	/** Inherited by all commands. */
	readonly env?: NodeJS.ProcessEnv;
	/** Called when it has kept somebody waiting for no reason. */
	readonly onHang?: (what: string) => void;
}

/** The real daemon, to be killed and brought back on the same port. */
export class TorturedDaemon {
	#child: ChildProcess | null = null;
	#token = '';
	readonly #agent = new Agent({keepAlive: true});

	private constructor(
		private readonly stateDir: string,
		readonly port: number,
		private readonly options: DaemonOptions,
	) {}

	static async create(stateDir: string, options: DaemonOptions): Promise<TorturedDaemon> {
		const daemon = new TorturedDaemon(stateDir, await findFreePort(), options);
		await daemon.start();
		daemon.#token = execFileSync(process.execPath, [program, 'token', '--state-dir', stateDir, '--ttl', '2d'], {
			encoding: 'utf8',
		}).trim();
		return daemon;
	}

	get pid(): number {
		return this.#child?.pid ?? 0;
	}

	/** Settles when it answers. Rejects with what it said where it cannot start. */
	async start(): Promise<void> {
		const {maxRunning, maxEnded, containment = 'auto', env} = this.options;
		const flags = {
			'state-dir': this.stateDir,
			port: this.port,
			'max-running': maxRunning,
			'max-queued': 200,
			...(maxEnded === undefined ? {} : {'max-ended': maxEnded}),
			containment,
			'grace-period': gracePeriodSeconds,
		};
		const words = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
		const child = spawn(process.execPath, [program, 'serve', ...words], {
			stdio: ['ignore', 'pipe', 'pipe'],
			env: {...process.env, ...env},
		});
		let said = '';
		child.stderr.on('data', chunk => {
			said = `${said}${chunk}`.slice(-2000);
		});
		this.#child = child;
		await Promise.race([
			once(createInterface({input: child.stdout}), 'line'),
			once(child, 'exit').then(() => Promise.reject(new Error(`The daemon did not start: ${said}`))),
		]);
	}

	/** Settles when it is gone. */
	async end(signal: NodeJS.Signals): Promise<void> {
		const child = this.#child;
		if (child !== null && child.exitCode === null && child.signalCode === null) {
			const gone = once(child, 'exit');
			child.kill(signal);
			await gone;
		}
	}

	/** Rejects with `NoAnswerError` where there was none. */
	ask(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<Answer> {
		return new Promise((resolve, reject) => {
			const fail = (cause: unknown) => reject(new NoAnswerError(`${method} ${path}`, {cause}));
			const payload = body === undefined ? undefined : JSON.stringify(body);
			const asking = request({
				agent: this.#agent,
				host: '127.0.0.1',
				port: this.port,
				method,
				path,
				timeout: patienceMs,
				headers: {
					authorization: `Bearer ${this.#token}`,
					...(payload === undefined
						? {}
						: {'content-type': 'application/json', 'content-length': Buffer.byteLength(payload)}),
					...headers,
				},
			});
			asking.on('error', fail);
			asking.on('timeout', () => {
				this.options.onHang?.(`${method} ${path}`);
				asking.destroy();
			});
			asking.on('response', response => {
				const chunks: Buffer[] = [];
				response.on('data', chunk => chunks.push(chunk));
				response.on('error', fail);
				response.on('end', () => resolve({status: response.statusCode ?? 0, json: parse(chunks)}));
			});
			asking.end(payload);
		});
	}

	/** The events of a stream, as long as they come. Ends, too, where nobody is there or who is there is leaving. */
	async *receive(path: string, headers: Record<string, string>, signal: AbortSignal): AsyncGenerator<ReceivedEvent> {
		try {
			yield* receiveEventsUntil(signal, `http://127.0.0.1:${this.port}${path}`, this.#token, headers);
		} catch (error) {
			const isLeaving = error instanceof NoStreamError && error.status === 503;
			// What fetch says of a connection that is refused or breaks is a TypeError.
			if (!(isLeaving || error instanceof TypeError || signal.aborted)) {
				throw error;
			}
		}
	}

	/** Exactly what a process has written to one of its streams. */
	async output(processId: string, stream: string): Promise<string> {
		const answer = await fetch(
			`http://127.0.0.1:${this.port}/execute/processes/${processId}/output?format=raw&stream=${stream}`,
			{headers: {authorization: `Bearer ${this.#token}`}},
		);
		return answer.ok ? answer.text() : `${answer.status}`;
	}

	/** Ends it for good. Settles when its keepers have left too: nothing is there any more whose deadline they could hold. */
	async close(): Promise<void> {
		await this.end('SIGTERM');
		this.#agent.destroy();
		await eventually(() => findProcesses(this.stateDir, 'cmdline').length === 0, Boolean, 60_000);
	}
}

function parse(chunks: readonly Buffer[]): Record<string, unknown> {
	return JSON.parse(Buffer.concat(chunks).toString() || '{}');
}

async function findFreePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const address = server.address();
	server.close();
	return typeof address === 'object' && address !== null ? address.port : 0;
}
