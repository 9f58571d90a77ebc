import {QueueFullError} from './errors.js';
import type {Launcher} from './ports.js';
import type {ProcessId} from './process.js';
import type {Settings} from './settings.js';
import {inject, injectable, Tokens} from './tokens.js';

/** Lets as many processes run as may; the others wait, first in, first out. */
@injectable()
export class Admission {
	/** Those that were handed to the keeper and have not ended. */
	readonly #admitted = new Set<ProcessId>();
	/** Sets remember the order of insertion. */
	readonly #waiting = new Set<ProcessId>();
	#left: ProcessId[] = [];

	constructor(
		@inject(Tokens.launcher) private readonly launcher: Launcher,
		@inject(Tokens.settings) private readonly settings: Settings,
	) {}

	/** @throws {QueueFullError} where one more could neither run nor wait. */
	assertRoom(): void {
		const {maxRunning, maxQueued} = this.settings;
		if (this.#admitted.size >= maxRunning && this.#waiting.size >= maxQueued) {
			throw new QueueFullError(maxRunning, maxQueued);
		}
	}

	enter(processId: ProcessId): void {
		this.#waiting.add(processId);
		this.#admitNext();
	}

	/** Counts one that was handed to a keeper before. */
	occupy(processId: ProcessId): void {
		this.#admitted.add(processId);
	}

	isAdmitted(processId: ProcessId): boolean {
		return this.#admitted.has(processId);
	}

	/** Those that run, as far as is known. */
	get admitted(): Iterable<ProcessId> {
		return this.#admitted;
	}

	/** It has ended, or never will run. */
	leave(processId: ProcessId): void {
		this.#waiting.delete(processId);
		if (this.#admitted.delete(processId)) {
			this.#left.push(processId);
		}

		this.#admitNext();
	}

	/** Those that have ended since this was asked last: some began since then, too. */
	takeLeft(): readonly ProcessId[] {
		const left = this.#left;
		this.#left = [];
		return left;
	}

	/** Nothing is launched any more. */
	close(): void {
		this.#waiting.clear();
	}

	get running(): number {
		return this.#admitted.size;
	}

	get queued(): number {
		return this.#waiting.size;
	}

	#admitNext(): void {
		for (const processId of this.#waiting) {
			if (this.#admitted.size >= this.settings.maxRunning) {
				return;
			}

			this.#waiting.delete(processId);
			this.#admitted.add(processId);
			this.launcher.launch(processId);
		}
	}
}
