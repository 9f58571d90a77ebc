import {type ChildProcess, execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {connect} from 'node:net';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import type {ExecutionContext} from 'ava';
import {type ReceivedEvent, receiveEvents} from './event-source.js';

const program = fileURLToPath(new URL('../../runtime/main.js', import.meta.url));

/** A process as `GET /execute/processes` shows it. */
export interface ShownProcess {
	readonly process_id: string;
	readonly name: string | null;
	readonly status: string;
	readonly reason: string | null;
	readonly stdout: string;
	readonly stderr: string;
	readonly exit_code: number | null;
	readonly signal: string | null;
	readonly started_at: string | null;
	readonly completed_at: string | null;
	readonly execution_time: number | null;
	readonly pid: number | null;
	readonly stdout_bytes: number;
	readonly stdout_dropped: number;
	readonly containment: string;
}

export interface Started {
	readonly process_id: string;
	readonly execution_id: string;
	readonly status: string;
}

/** The real daemon: `nohupd serve` on a free port, spoken to by fetch. */
export class TestDaemon {
	private constructor(
		private readonly child: ChildProcess,
		readonly url: string,
		readonly token: string,
	) {}

	/** @param uid - Of the user who runs it; default: who runs the test. */
	static async open(
		t: ExecutionContext,
		stateDir: string,
		env: NodeJS.ProcessEnv = {},
		uid?: number,
	): Promise<TestDaemon> {
		const child = spawn(process.execPath, [program, 'serve', '--port', '0', '--state-dir', stateDir], {
			stdio: ['ignore', 'pipe', 'ignore'],
			env: {...process.env, ...env},
			...(uid === undefined ? {} : {uid, gid: uid}),
		});
		t.teardown(() => end(child, 'SIGKILL'));
		const [line] = await Promise.race([
			once(createInterface({input: child.stdout}), 'line'),
			once(child, 'exit').then(() => Promise.reject(new Error('The daemon did not start'))),
		]);
		const url = String(line).replace('nohupd listening on ', '');
		const token = execFileSync(process.execPath, [program, 'token', '--state-dir', stateDir], {encoding: 'utf8'});
		return new TestDaemon(child, url, token.trim());
	}

	get pid(): number {
		return this.child.pid ?? 0;
	}

	/** The status and the JSON of an answer. */
	async ask(method: string, path: string, body?: object, headers = {}): Promise<{status: number; json: unknown}> {
		const response = await fetch(`${this.url}${path}`, {
			method,
			headers: {authorization: `Bearer ${this.token}`, 'content-type': 'application/json', ...headers},
			...(body === undefined ? {} : {body: JSON.stringify(body)}),
		});
		return {status: response.status, json: await response.json()};
	}

	async start(body: object, headers = {}): Promise<Started> {
		const {status, json} = await this.ask('POST', '/commands/background', body, headers);
		if (status !== 200) {
			throw new Error(`${status}: ${JSON.stringify(json)}`);
		}

		return json as Started;
	}

	/** The exact bytes of an answer, and what says which of the whole they are. */
	async bytes(path: string, headers = {}): Promise<{bytes: Buffer; range: string | null}> {
		const response = await fetch(`${this.url}${path}`, {headers: {authorization: `Bearer ${this.token}`, ...headers}});
		if (!response.ok) {
			throw new Error(`${response.status}: ${await response.text()}`);
		}

		return {bytes: Buffer.from(await response.arrayBuffer()), range: response.headers.get('content-range')};
	}

	/** The events of a stream, as long as they come. */
	receive(t: ExecutionContext, path: string, headers = {}): AsyncGenerator<ReceivedEvent> {
		return receiveEvents(t, `${this.url}${path}`, this.token, headers);
	}

	/** Asks for a stream, and takes nothing of it. */
	stall(t: ExecutionContext, path: string): void {
		const {hostname, port} = new URL(this.url);
		const socket = connect(Number(port), hostname).pause();
		// The daemon may cut it off.
		socket.on('error', () => undefined);
		t.teardown(() => socket.destroy());
		socket.write(`GET ${path} HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${this.token}\r\n\r\n`);
	}

	async list(query = ''): Promise<ShownProcess[]> {
		const {json} = await this.ask('GET', `/execute/processes${query}`);
		return (json as {processes: ShownProcess[]}).processes;
	}

	async get(processId: string): Promise<ShownProcess> {
		return (await this.ask('GET', `/execute/processes/${processId}`)).json as ShownProcess;
	}

	kill(processId: string): Promise<{status: number; json: unknown}> {
		return this.ask('DELETE', '/execute/kill', {process_id: processId});
	}

	/** Settles with the exit code when the daemon itself is gone. */
	end(signal: NodeJS.Signals): Promise<number | null> {
		return end(this.child, signal);
	}
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
	if (child.exitCode === null && child.signalCode === null) {
		child.kill(signal);
		await once(child, 'exit');
	}

	return child.exitCode;
}
