import {type FSWatcher, statSync, watch} from 'node:fs';
import {join} from 'node:path';
import type {Logger} from '../ports.js';
import type {ProcessId} from '../process.js';
import {outputStreams} from '../streams.js';

/** Notices can be lost (inotify(7), "Limitations and caveats"). */
const lookMs = 5000;
/** Where inotify is not to be had. */
const hurriedLookMs = 250;

/** Tells of new output: by one inotify watch for each process that somebody follows, with one slow look behind all. */
export class OutputWatches {
	readonly #watches = new Map<ProcessId, OutputWatch>();
	#timer: NodeJS.Timeout | null = null;
	#timerMs = 0;

	constructor(
		private readonly stateDir: string,
		private readonly logger: Logger,
	) {}

	add(processId: ProcessId, onChange: () => void): () => void {
		// Apart from the same function given twice.
		const listener = () => onChange();
		const output = this.#watches.get(processId) ?? this.#open(processId);
		output.listeners.add(listener);
		return () => {
			output.listeners.delete(listener);
			if (output.listeners.size === 0 && this.#watches.get(processId) === output) {
				this.#watches.delete(processId);
				output.close();
				this.#setTimer();
			}
		};
	}

	close(): void {
		for (const output of this.#watches.values()) {
			output.close();
		}

		this.#watches.clear();
		this.#setTimer();
	}

	#open(processId: ProcessId): OutputWatch {
		const output = new OutputWatch(join(this.stateDir, 'runs', processId), this.logger);
		this.#watches.set(processId, output);
		this.#setTimer();
		return output;
	}

	#setTimer(): void {
		const all = [...this.#watches.values()];
		const wantedMs = all.length === 0 ? 0 : all.every(({isNotified}) => isNotified) ? lookMs : hurriedLookMs;
		if (wantedMs === this.#timerMs) {
			return;
		}

		clearInterval(this.#timer ?? undefined);
		this.#timerMs = wantedMs;
		this.#timer = wantedMs === 0 ? null : setInterval(() => this.#look(), wantedMs);
	}

	#look(): void {
		for (const output of this.#watches.values()) {
			output.look();
		}
	}
}

/** The output of one process: all its followers share it. */
class OutputWatch {
	readonly listeners = new Set<() => void>();
	readonly #watcher: FSWatcher | null;
	#sizes = '';

	constructor(
		private readonly directory: string,
		logger: Logger,
	) {
		try {
			// The directory: one that has not begun has no files yet.
			this.#watcher = watch(directory, () => this.#tell());
			this.#watcher.on('error', error => logger.warn({error}, 'Output is no longer watched, but looked at'));
		} catch (error) {
			// ENOSPC, EMFILE: the user's inotify limits are used up (inotify(7)).
			logger.warn({error}, 'Output cannot be watched; it will be looked at instead');
			this.#watcher = null;
		}
	}

	get isNotified(): boolean {
		return this.#watcher !== null;
	}

	look(): void {
		const sizes = outputStreams
			.map(stream => statSync(join(this.directory, stream), {throwIfNoEntry: false})?.size)
			.join();
		if (sizes !== this.#sizes) {
			this.#sizes = sizes;
			this.#tell();
		}
	}

	close(): void {
		this.#watcher?.close();
		this.listeners.clear();
	}

	#tell(): void {
		for (const listener of this.listeners) {
			listener();
		}
	}
}
