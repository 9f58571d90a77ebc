import {setTimeout as pause} from 'node:timers/promises';
import {DaemonAwayError} from './daemon-errors.js';

/** How to wait for a daemon that is away. */
export interface Patience {
	/** Since it was last there, in milliseconds. */
	readonly limitMs: number;
	readonly pauseMs: number;
	/** Told each time it goes. */
	readonly onAway?: (() => void) | undefined;
	/** Told when it is there again. */
	readonly onBack?: (() => void) | undefined;
}

/** A restart takes a second, an upgrade perhaps some more. */
export const usualPatience: Patience = {limitMs: 60_000, pauseMs: 250};

/** Asks again while a daemon that was there is away. Where there never was one, that is told at once. */
export class Persistence {
	#wasThere = false;
	#isAway = false;

	constructor(private readonly patience: Patience) {}

	/** Rejects with what else goes wrong, and with `DaemonAwayError` once patience is over. */
	async ask<T>(question: () => Promise<T>): Promise<T> {
		const end = performance.now() + this.patience.limitMs;
		for (;;) {
			if (this.#isAway) {
				await pause(this.patience.pauseMs);
			}

			try {
				const answer = await question();
				this.found();
				return answer;
			} catch (error) {
				this.lost(error, performance.now() < end);
			}
		}
	}

	/** @throws the error where it makes no sense to ask again. */
	lost(error: unknown, isPatient = true): void {
		if (!isPatient || !(error instanceof DaemonAwayError) || !(error.wasThere || this.#wasThere)) {
			throw error;
		}

		this.#wasThere = true;
		if (!this.#isAway) {
			this.#isAway = true;
			this.patience.onAway?.();
		}
	}

	/** It is there. */
	found(): void {
		this.#wasThere = true;
		if (this.#isAway) {
			this.#isAway = false;
			this.patience.onBack?.();
		}
	}
}
