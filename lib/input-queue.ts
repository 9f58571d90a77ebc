import {InputBlockedError, InputUnavailableError, ShuttingDownError} from './errors.js';
import type {Clock, InputPipe, ProcessStore} from './ports.js';
import {isLive, type ProcessId} from './process.js';
import {inject, injectable, Tokens} from './tokens.js';

const shortestPauseMs = 1;
const longestPauseMs = 50;
/** What one writer gives at a time before others have their turn: as much as a pipe holds. */
const pieceBytes = 65_536;

/** How input is written. */
export interface Manner {
	/** Afterwards. */
	readonly close: boolean;
	/** How long to wait for room while nothing of it is read. */
	readonly timeoutMs: number;
}

/** Writes into the standard input of commands: one writer at a time for each, in the order they came. */
@injectable()
export class InputQueue {
	/** The last one of each process; it never rejects. */
	readonly #last = new Map<ProcessId, Promise<void>>();
	#isClosed = false;

	constructor(
		@inject(Tokens.store) private readonly store: ProcessStore,
		@inject(Tokens.input) private readonly pipe: InputPipe,
		@inject(Tokens.clock) private readonly clock: Clock,
	) {}

	/** Settles when all is in the pipe, and it is closed if that was asked for. Rejects like `Supervisor.write`. */
	write(processId: ProcessId, bytes: Uint8Array, {close, timeoutMs}: Manner): Promise<void> {
		return this.#inTurn(processId, async () => {
			await this.#write(processId, bytes, timeoutMs);
			if (close) {
				await this.#close(processId);
			}
		});
	}

	/** Settles when the pipe is closed, by this call or before. Rejects with `InputUnavailableError`. */
	close(processId: ProcessId): Promise<void> {
		return this.#inTurn(processId, async () => {
			this.#assertOpen();
			const why = this.#problem(processId);
			if (why !== null && why !== 'closed') {
				throw new InputUnavailableError(processId, why);
			}

			await this.#close(processId);
		});
	}

	/** Whoever waits for room is told that we go. */
	shut(): void {
		this.#isClosed = true;
	}

	#inTurn(processId: ProcessId, work: () => Promise<void>): Promise<void> {
		const done = (this.#last.get(processId) ?? Promise.resolve()).then(work);
		// Whoever called is told how it went; those who come after do not care.
		const settled = done
			.catch(() => undefined)
			.then(() => {
				if (this.#last.get(processId) === settled) {
					this.#last.delete(processId);
				}
			});
		this.#last.set(processId, settled);
		return done;
	}

	async #write(processId: ProcessId, bytes: Uint8Array, timeoutMs: number): Promise<void> {
		let taken = 0;
		let pauseMs = shortestPauseMs;
		let giveUpAt = this.clock.uptimeMs() + timeoutMs;
		this.#assertOpen();
		this.#assertWritable(processId, 0);
		while (taken < bytes.length) {
			const count = this.pipe.write(processId, bytes.subarray(taken, taken + pieceBytes));
			if (count === null) {
				throw new InputUnavailableError(processId, this.#problem(processId) ?? 'unread', taken);
			}

			taken += count;
			const now = this.clock.uptimeMs();
			if (count > 0) {
				pauseMs = shortestPauseMs;
				giveUpAt = now + timeoutMs;
			} else if (now >= giveUpAt) {
				throw new InputBlockedError(processId, taken, bytes.length);
			} else {
				await this.#pause(pauseMs);
				pauseMs = Math.min(pauseMs * 2, longestPauseMs);
				this.#assertOpen();
				this.#assertWritable(processId, taken);
			}
		}
	}

	async #close(processId: ProcessId): Promise<void> {
		this.pipe.close(processId);
		// Whoever writes next is to hear that it is closed.
		while (!this.#isClosed && this.pipe.isOpen(processId)) {
			await this.#pause(shortestPauseMs);
		}
	}

	#pause(delayMs: number): Promise<void> {
		return new Promise(resolve => this.clock.setTimer(delayMs, resolve));
	}

	#assertWritable(processId: ProcessId, taken: number): void {
		const why = this.#problem(processId);
		if (why !== null) {
			throw new InputUnavailableError(processId, why, taken);
		}
	}

	/** Why a process takes no input; `null` where it does. */
	#problem(processId: ProcessId): InputUnavailableError['why'] | null {
		const process = this.store.find(processId);
		if (process?.command.stdin === false) {
			return 'undeclared';
		}

		if (process?.state.status === 'queued') {
			return 'queued';
		}

		if (process === null || !isLive(process)) {
			return 'ended';
		}

		return this.pipe.isOpen(processId) ? null : 'closed';
	}

	#assertOpen(): void {
		if (this.#isClosed) {
			throw new ShuttingDownError();
		}
	}
}
