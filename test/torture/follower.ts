import {request} from 'node:http';
import {setTimeout as pause} from 'node:timers/promises';
import {count, type Ledger} from './client.js';
import type {TorturedDaemon} from './daemon.js';

/** Subscribes to all events, comes back whenever the daemon does, and notes what it was told. */
export class Follower {
	/** Types of the events of each process, as they came. */
	readonly seen = new Map<string, string[]>();
	#last = 0;

	constructor(
		private readonly daemon: TorturedDaemon,
		private readonly ledger: Ledger,
	) {}

	async run(signal: AbortSignal): Promise<void> {
		while (!signal.aborted) {
			await this.#follow(signal);
			await pause(20);
		}
	}

	/** Whether the end of this process was told. */
	hasEnded(processId: string): boolean {
		return this.seen.get(processId)?.includes('ended') ?? false;
	}

	/** Settles when the connection is over, for whatever reason. */
	#follow(signal: AbortSignal): Promise<void> {
		return new Promise(resolve => {
			const asking = request({
				host: '127.0.0.1',
				port: this.daemon.port,
				path: '/events?after=0',
				headers: {
					authorization: `Bearer ${this.daemon.token}`,
					...(this.#last === 0 ? {} : {'last-event-id': String(this.#last)}),
				},
				signal,
			});
			asking.on('error', () => resolve());
			asking.on('response', response => {
				count(this.ledger, `events ${response.statusCode}`);
				let received = '';
				response.setEncoding('utf8').on('data', chunk => {
					const blocks = `${received}${chunk}`.split('\n\n');
					received = blocks.pop() ?? '';
					for (const block of blocks) {
						this.#note(block);
					}
				});
				response.on('error', () => undefined);
				response.on('close', () => resolve());
			});
			asking.end();
		});
	}

	#note(block: string): void {
		const json = /^data: (.*)$/m.exec(block)?.[1];
		if (json === undefined) {
			return;
		}

		const {sequence, type, process} = JSON.parse(json);
		if (typeof sequence !== 'number' || typeof process?.process_id !== 'string') {
			this.ledger.findings.push(`An event that is none: ${block}`);
			return;
		}

		if (sequence <= this.#last) {
			this.ledger.findings.push(`Event ${sequence} came after ${this.#last}`);
		}

		this.#last = sequence;
		const types = this.seen.get(process.process_id) ?? [];
		this.seen.set(process.process_id, [...types, type]);
	}
}
