import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {Agent, request} from 'node:http';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {readStat} from '../../lib/os/proc.js';
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
	ask(method: string, path: string, body?: object): Promise<string> {
		const payload = body === undefined ? '' : JSON.stringify(body);
		return new Promise((resolve, reject) => {
			const headers = {
				authorization: `Bearer ${this.token}`,
				...(payload === '' ? {} : {'content-type': 'application/json', 'content-length': payload.length}),
			};
			const asked = request({host: '127.0.0.1', port: this.port, agent: this.#agent, method, path, headers}, answer => {
				let text = '';
				answer.setEncoding('utf8');
				answer.on('data', chunk => {
					text += chunk;
				});
				answer.once('end', () => (answer.statusCode === 200 ? resolve(text) : reject(new Error(text))));
			});
			asked.once('error', reject);
			asked.end(payload);
		});
	}

	close(): void {
		this.#agent.destroy();
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

/** The daemon, over HTTP with JWT. Nobody is told of an end: what matters is when nothing runs any more. */
export async function openHttp(dir: string): Promise<Runner> {
	const daemon = await BenchDaemon.open(dir);
	const client = await daemon.client(8);
	return {
		async start(command) {
			await client.ask('POST', '/commands/background', {command, timeout: 0});
			return {ended: Promise.resolve()};
		},
		async settled() {
			await eventually(
				async () => JSON.parse(await client.ask('GET', '/health')),
				({running, queued}) => running + queued === 0,
			);
		},
		cpuMs: () => readStat(daemon.pid)?.cpuMs ?? Number.NaN,
		async close() {
			client.close();
			await daemon.close();
		},
	};
}
