import {setTimeout as pause} from 'node:timers/promises';
import type {Scene} from './scene.js';
import type {Shown} from './verdict.js';

/** What was told of one process. */
interface Told {
	/** Types of its events, as they came. */
	readonly types: readonly string[];
	/** As the last of them showed it. */
	readonly last: Shown;
}

/** Subscribes to all events, comes back whenever the daemon does, and notes what it was told. */
export class Follower {
	readonly #told = new Map<string, Told>();
	#last = 0;

	constructor(private readonly scene: Scene) {}

	async run(signal: AbortSignal): Promise<void> {
		while (!signal.aborted) {
			const headers: Record<string, string> = this.#last === 0 ? {} : {'last-event-id': String(this.#last)};
			let isFirst = true;
			for await (const {data} of this.scene.daemon.receive('/events?after=0', headers, signal)) {
				if (isFirst) {
					this.scene.ledger.count('events taken up');
				}

				isFirst = false;
				this.#note(data);
			}

			await pause(20);
		}
	}

	/** Whether the end of this process was told. */
	hasEnded(processId: string): boolean {
		return this.#told.get(processId)?.types.includes('ended') ?? false;
	}

	/** Finds what was not told of a process as the API shows it now. */
	check(process: Shown): void {
		const {process_id: processId, started_at, reason} = process;
		const told = this.#told.get(processId);
		const types = told?.types ?? [];
		const hasStarted = started_at !== null;
		const isInOrder = /^queued( started)?( stopping)? ended$/.test(types.join(' '));
		// What was given up before it began was never stopping, and what the dead man's switch ended neither.
		const isStopTold = !(hasStarted && reason === 'request') || types.includes('stopping');
		if (!isInOrder || types.includes('started') !== hasStarted || !isStopTold) {
			this.scene.ledger.find(processId, `ended by ${reason}, and its events were: ${types.join(' ')}`);
		}

		const facts = ({status, exit_code, completed_at}: Shown) => JSON.stringify({status, exit_code, completed_at});
		if (told !== undefined && facts(told.last) !== facts(process)) {
			this.scene.ledger.find(processId, `was told to be ${facts(told.last)}, and is ${facts(process)}`);
		}
	}

	#note({sequence, type, process}: Record<string, unknown>): void {
		// The numbers have no holes as long as nothing is forgotten.
		if (sequence !== this.#last + 1) {
			this.scene.ledger.find(`event ${sequence}`, `came after ${this.#last}`);
		}

		this.#last = Number(sequence);
		const last = process as Shown;
		const types = this.#told.get(last.process_id)?.types ?? [];
		this.#told.set(last.process_id, {types: [...types, String(type)], last});
	}
}
