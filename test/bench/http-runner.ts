import {type ChildProcess, spawn} from 'node:child_process';
import {EventEmitter, once} from 'node:events';
import {Agent, type IncomingMessage, request} from 'node:http';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {text} from 'node:stream/consumers';
import {fileURLToPath} from 'node:url';
import {readStat} from '../../lib/os/proc.js';
import {parseEvents} from '../../runtime/client/server-sent-events.js';
import {eventually} from '../helpers/eventually.js';
import {mint, secret} from '../helpers/http-server.js';
import type {Runner} from './runner.js';

const program = fileURLToPath(new URL('../../runtime/main.js', import.meta.url));

const day = 24 * 60 * 60;

/** Asks one server over connections that stay open. */
export class Client {
	readonly #agent: Agent;

	constructor(
		readonly port: number,
		private readonly token: string,
		connections: number,
	) {
		this.#agent = new Agent({keepAlive: true, maxSockets: connections});
	}

	/** The body of a good answer. */
	async ask(method: string, path: string, body?: object): Promise<string> {
		const answer = await this.#send(method, path, body);
		const received = await text(answer);
		if (answer.statusCode !== 200) {
			throw new Error(received);
		}

		return received;
	}

	/** The JSON of a good answer. */
	async askJson(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
		return JSON.parse(await this.ask(method, path, body));
	}

	/** What a GET is answered with, to be read as it comes. */
	open(path: string): Promise<IncomingMessage> {
		return this.#send('GET', path);
	}

	close(): void {
		this.#agent.destroy();
	}

	#send(method: string, path: string, body?: object): Promise<IncomingMessage> {
		const payload = body === undefined ? '' : JSON.stringify(body);
		const headers = {
			authorization: `Bearer ${this.token}`,
			...(payload !== '' && {'content-type': 'application/json', 'content-length': Buffer.byteLength(payload)}),
		};
		return new Promise((resolve, reject) => {
			const to = {host: '127.0.0.1', port: this.port, agent: this.#agent, method, path, headers};
			const asked = request(to, resolve);
			asked.once('error', reject);
			asked.end(payload);
		});
	}
}

/** The daemon in a process of its own. */
export class BenchDaemon {
	private constructor(
		private readonly child: ChildProcess,
		readonly port: number,
	) {}

	/** Settles when it has said that it listens. */
	static async open(dir: string): Promise<BenchDaemon> {
		const stateDir = join(dir, 'state');
		const child = spawn(process.execPath, [program, 'serve', '--port', '0', '--state-dir', stateDir], {
			stdio: ['ignore', 'pipe', 'ignore'],
			env: {...process.env, NOHUPD_JWT_SECRET: secret},
		});
		const [line] = await once(createInterface({input: child.stdout}), 'line');
		return new BenchDaemon(child, Number(/:(\d+)$/.exec(line)?.[1]));
	}

	get pid(): number {
		return this.child.pid ?? 0;
	}

	async client(connections: number): Promise<Client> {
		return new Client(this.port, await mint({exp: Math.floor(Date.now() / 1000) + day}), connections);
	}

	async close(): Promise<void> {
		this.child.kill('SIGTERM');
		await once(this.child, 'exit');
	}
}

/** Gives a client of a daemon of its own to some work, and ends both after it. */
export async function withDaemon<T>(
	dir: string,
	connections: number,
	work: (client: Client, daemon: BenchDaemon) => Promise<T>,
): Promise<T> {
	const daemon = await BenchDaemon.open(dir);
	const client = await daemon.client(connections);
	try {
		return await work(client, daemon);
	} finally {
		client.close();
		await daemon.close();
	}
}

/** The daemon, over HTTP with JWT. Nobody is told of an end: what matters is when nothing runs any more. */
export async function openHttp(dir: string): Promise<Runner> {
	const daemon = await BenchDaemon.open(dir);
	const client = await daemon.client(8);
	return httpRunner(daemon, client, async () => undefined);
}

/** The same, with one who is told of all ends by `GET /events`. */
export async function openHttpWithEvents(dir: string): Promise<Runner> {
	const daemon = await BenchDaemon.open(dir);
	const client = await daemon.client(8);
	const ends = new Ends();
	// At the end the connection is cut off.
	ends.hear(await client.open('/events?type=ended')).catch(() => undefined);
	return httpRunner(daemon, client, processId => ends.of(processId));
}

function httpRunner(daemon: BenchDaemon, client: Client, ended: (processId: string) => Promise<unknown>): Runner {
	return {
		async start(command) {
			const {process_id: processId} = await client.askJson('POST', '/commands/background', {command, timeout: 0});
			return {ended: () => ended(String(processId))};
		},
		settled: () => untilIdle(client),
		cpuMs: () => readStat(daemon.pid)?.cpuMs ?? Number.NaN,
		async close() {
			client.close();
			await daemon.close();
		},
	};
}

/** Settles when a daemon knows that all have ended, and has put away what they needed. */
export function untilIdle(client: Client): Promise<unknown> {
	return eventually(
		() => client.askJson('GET', '/health'),
		({running, queued}) => Number(running) + Number(queued) === 0,
	);
}

/** Who has ended, as the events tell it: an end may be told before the start was answered. */
class Ends {
	readonly #told = new EventEmitter();
	readonly #early = new Set<string>();

	async of(processId: string): Promise<void> {
		if (!this.#early.delete(processId)) {
			await once(this.#told, processId);
		}
	}

	/** Settles when the daemon is closed. */
	async hear(answer: IncomingMessage): Promise<void> {
		for await (const {data} of parseEvents(answer)) {
			const processId: string = JSON.parse(data).process.process_id;
			if (!this.#told.emit(processId)) {
				this.#early.add(processId);
			}
		}
	}
}
