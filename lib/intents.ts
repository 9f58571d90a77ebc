import {Ledger} from './ledger.js';
import type {Launcher, Logger, ProcessStore} from './ports.js';
import type {EndedProcess, ProcessId, Stop, StoppingProcess} from './process.js';
import {inject, injectable, Tokens} from './tokens.js';

/**
 * Writes down that something is to be ended, and how far that has come: in the store for the next supervisor, in the
 * record for the dead man's switch. What cannot be written is ended all the same: perhaps it is what fills the disk.
 */
@injectable()
export class Intents {
	constructor(
		@inject(Tokens.store) private readonly store: ProcessStore,
		@inject(Tokens.launcher) private readonly launcher: Launcher,
		@inject(Tokens.logger) private readonly logger: Logger,
		@inject(Ledger) private readonly ledger: Ledger,
	) {}

	/** Before the first signal: so that a crash in between does not forget what was wanted. */
	declare(process: StoppingProcess): void {
		const {processId, state} = process;
		// First: what the store knows and the record does not would wait for the next supervisor.
		this.#order(processId, state.stop);
		this.#try(processId, 'That a process is to be ended could not be stored', () => this.ledger.record(process));
	}

	/** Nobody is told of it. */
	update(process: StoppingProcess): void {
		const {processId, state} = process;
		this.#order(processId, state.stop);
		this.#try(processId, 'How far a stop has come could not be stored', () => this.store.update(process));
	}

	/** What an ended process left behind has no row: its record alone tells. */
	orderLeftover({processId}: EndedProcess, stop: Stop): void {
		this.#order(processId, stop);
	}

	#order(processId: ProcessId, stop: Stop): void {
		this.#try(processId, 'A stop could not be written into a record', () => this.launcher.orderStop(processId, stop));
	}

	#try(processId: ProcessId, failure: string, write: () => void): void {
		try {
			write();
		} catch (error) {
			this.logger.warn({error, processId}, failure);
		}
	}
}
