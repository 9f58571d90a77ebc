import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import type {ExecutionContext} from 'ava';
import type {CommandInput, Process, ProcessDetails, ProcessPage, SupervisorOptions} from '../../lib/index.js';

const program = fileURLToPath(new URL('agent.js', import.meta.url));

interface Answer {
	readonly id?: number;
	readonly result?: unknown;
	readonly error?: string;
	readonly ready?: true;
	readonly failed?: string;
}

/** Where and how an agent runs. */
export interface Surroundings {
	/** Another program that speaks the same lines, for instance one that kills itself half-way. */
	readonly script?: string;
	/** Added to the test's own. */
	readonly env?: NodeJS.ProcessEnv;
	/** A program that becomes the agent: it is given the agent's command line as its last arguments. */
	readonly through?: readonly string[];
	/** Another user. */
	readonly uid?: number;
}

/** A real agent process with a supervisor in it, to be killed at will. */
export class Agent {
	readonly #waiting = new Map<number, {resolve: (result: unknown) => void; reject: (error: Error) => void}>();
	#calls = 0;

	private constructor(
		private readonly child: ChildProcess,
		readonly pid: number,
	) {}

	static async open(
		t: ExecutionContext,
		stateDir: string,
		options: Partial<SupervisorOptions> = {},
		{script = program, env = {}, through = [], uid}: Surroundings = {},
	): Promise<Agent> {
		const [file = '', ...args] = [...through, process.execPath, script, stateDir, JSON.stringify(options)];
		const child = spawn(file, args, {
			stdio: ['pipe', 'pipe', 'inherit'],
			env: {...process.env, ...env},
			...(uid === undefined ? {} : {uid, gid: uid}),
		});
		const agent = new Agent(child, child.pid ?? 0);
		t.teardown(() => agent.kill());
		// EPIPE: it died while it was being asked; whoever waits for it is told by its exit.
		child.stdin.on('error', () => undefined);
		await new Promise<void>((resolve, reject) => {
			// Not at its exit: what it said last may still be on its way.
			child.once('close', () => reject(new Error('The agent has ended')));
			createInterface({input: child.stdout}).on('line', line => {
				const answer: Answer = JSON.parse(line);
				if (answer.ready) {
					resolve();
				} else if (answer.failed !== undefined) {
					reject(new Error(answer.failed));
				} else {
					agent.#settle(answer);
				}
			});
		});
		return agent;
	}

	start(command: CommandInput, options: object = {}): Promise<Process> {
		return this.call('start', command, options) as Promise<Process>;
	}

	get(processId: string): Promise<ProcessDetails> {
		return this.call('get', processId) as Promise<ProcessDetails>;
	}

	list(options: object = {}): Promise<ProcessPage> {
		return this.call('list', options) as Promise<ProcessPage>;
	}

	killProcess(processId: string, options: object = {}): Promise<Process> {
		return this.call('kill', processId, options) as Promise<Process>;
	}

	wait(processId: string): Promise<Process> {
		return this.call('wait', processId) as Promise<Process>;
	}

	close(): Promise<unknown> {
		return this.call('close');
	}

	/** SIGKILL; settles when it is gone. */
	async kill(): Promise<void> {
		if (this.child.exitCode === null && this.child.signalCode === null) {
			this.child.kill('SIGKILL');
		}

		await this.gone();
	}

	/** Settles with the signal that ended it, `null` for an exit. */
	async gone(): Promise<NodeJS.Signals | null> {
		if (this.child.exitCode === null && this.child.signalCode === null) {
			await once(this.child, 'exit');
		}

		return this.child.signalCode;
	}

	call(call: string, ...given: unknown[]): Promise<unknown> {
		this.#calls++;
		const id = this.#calls;
		const answer = new Promise((resolve, reject) => this.#waiting.set(id, {resolve, reject}));
		this.child.stdin?.write(`${JSON.stringify({id, call, with: given})}\n`);
		return answer;
	}

	#settle({id = 0, result, error}: Answer): void {
		const waiting = this.#waiting.get(id);
		this.#waiting.delete(id);
		if (error === undefined) {
			waiting?.resolve(result);
		} else {
			waiting?.reject(new Error(error));
		}
	}
}
