import type {Launcher, Logger} from './ports.js';
import type {ProcessId} from './process.js';
import {Reaper} from './reaper.js';
import {Recovery} from './recovery.js';
import {inject, injectable, Tokens} from './tokens.js';

const sweepMs = 1000;
/** Where inotify is not to be had, records are looked at this often. */
const hurriedSweepMs = 100;

/** Leads changed records to the reaper, with a slow look behind it: notices can be lost, and shims killed. */
@injectable()
export class RecordWatch {
	readonly #changed = new Set<ProcessId>();
	#timer: NodeJS.Timeout | null = null;
	#isWatching = false;

	constructor(
		@inject(Tokens.launcher) private readonly launcher: Launcher,
		@inject(Tokens.logger) private readonly logger: Logger,
		@inject(Reaper) private readonly reaper: Reaper,
		@inject(Recovery) private readonly recovery: Recovery,
	) {}

	open(): void {
		this.#isWatching = this.launcher.watch(processId => this.#note(processId));
		this.#timer = setInterval(() => this.#sweep(), this.#isWatching ? sweepMs : hurriedSweepMs);
	}

	close(): void {
		clearInterval(this.#timer ?? undefined);
		this.#changed.clear();
	}

	/** One write to a record can give several notices; they are answered together. */
	#note(processId: ProcessId): void {
		if (this.#changed.size === 0) {
			setImmediate(() => this.#lookAtChanged());
		}

		this.#changed.add(processId);
	}

	#lookAtChanged(): void {
		const changed = [...this.#changed];
		this.#changed.clear();
		for (const processId of changed) {
			this.#guard(() => this.reaper.look(processId), {processId});
		}
	}

	#sweep(): void {
		this.#guard(() => this.recovery.sweep(!this.#isWatching), {});
	}

	/** A full disk, for instance: the next sweep tries again. */
	#guard(work: () => void, facts: object): void {
		try {
			work();
		} catch (error) {
			this.logger.error({...facts, error}, 'A record could not be settled; it will be looked at again');
		}
	}
}
