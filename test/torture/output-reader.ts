import {setTimeout as pause} from 'node:timers/promises';
import type {Scene} from './scene.js';
import type {Output} from './verdict.js';

/** Follows what processes write, comes back whenever the daemon does, and keeps what it was shown. */
export class OutputReader {
	/** By process; only of those whose end was shown. */
	readonly shown = new Map<string, Output>();
	readonly #following = new Set<Promise<void>>();

	constructor(private readonly scene: Scene) {}

	follow(processId: string, signal: AbortSignal): void {
		const following = this.#follow(processId, signal)
			.catch(this.scene.ledger.failed('a reader'))
			.finally(() => this.#following.delete(following));
		this.#following.add(following);
	}

	/** How many are not at the end yet of what they follow. */
	get open(): number {
		return this.#following.size;
	}

	async #follow(processId: string, signal: AbortSignal): Promise<void> {
		const output = {stdout: '', stderr: ''};
		let lastId: string | null = null;
		while (!signal.aborted) {
			const headers: Record<string, string> = lastId === null ? {} : {'last-event-id': lastId};
			let isFirst = lastId !== null;
			for await (const {id, event, data} of this.scene.daemon.receive(streamOf(processId), headers, signal)) {
				if (isFirst) {
					this.scene.ledger.count('outputs taken up again');
				}

				isFirst = false;
				lastId = id;
				if (event === 'end') {
					this.shown.set(processId, output);
					this.scene.ledger.count('outputs followed to their end');
					return;
				}

				this.#note(processId, output, String(event), data);
			}

			await pause(20);
		}
	}

	#note(processId: string, output: Record<keyof Output, string>, event: string, data: Record<string, unknown>): void {
		if (event !== 'stdout' && event !== 'stderr') {
			this.scene.ledger.find(processId, `its output came with ${event} ${JSON.stringify(data)}`);
			return;
		}

		if (data['offset'] !== output[event].length) {
			this.scene.ledger.find(processId, `${event} went on at ${data['offset']} after ${output[event].length}`);
		}

		output[event] += String(data['text']);
	}
}

function streamOf(processId: string): string {
	return `/execute/processes/${processId}/stream`;
}
