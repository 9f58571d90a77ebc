import type {ProcessWithOutput} from './api.js';
import type {Clock, OutputLog, OutputTail} from './ports.js';
import {hasStatus, isLive, type ProcessRecord, startedAtUptimeMs} from './process.js';
import {toProcess} from './process-view.js';

/**
 * For so long, in milliseconds, what an ended process has written is taken to be as it was. What it is known to have left
 * alive is looked at each time; but something may have shed all that it would be known by, and write on.
 */
const quietMs = 200;

interface Seen {
	readonly view: ProcessWithOutput;
	readonly atMs: number;
}

/** Processes as they are shown: with the end of their output. */
export class Views {
	/** Of ended processes without their text. A record that changes is another one, and this is gone with it. */
	readonly #seen = new WeakMap<ProcessRecord, Seen>();

	constructor(
		private readonly output: Pick<OutputLog, 'tail'>,
		private readonly clock: Pick<Clock, 'uptimeMs' | 'monotonicMs'>,
	) {}

	/** The same object again where nothing about an ended process has changed, so that what was made of it stays good. */
	show(process: ProcessRecord, tailBytes: number): ProcessWithOutput {
		const isQuiet = tailBytes === 0 && hasStatus(process, 'ended') && process.state.leftover === 0;
		return isQuiet ? this.#showQuiet(process) : this.#look(process, tailBytes);
	}

	#showQuiet(process: ProcessRecord): ProcessWithOutput {
		const atMs = this.clock.monotonicMs();
		const last = this.#seen.get(process);
		if (last !== undefined && atMs < last.atMs + quietMs) {
			return last.view;
		}

		const current = this.#look(process, 0);
		const view = last !== undefined && isAsMuch(last.view, current) ? last.view : Object.freeze(current);
		this.#seen.set(process, {view, atMs});
		return view;
	}

	#look(process: ProcessRecord, tailBytes: number): ProcessWithOutput {
		const {stdout, stderr} = this.output.tail(process.processId, tailBytes);
		return Object.assign(toProcess(process), this.#runningTime(process), outputView(stdout, stderr));
	}

	/** By the clock since boot: the wall clock may have been set meanwhile. */
	#runningTime(process: ProcessRecord): {durationMs?: number} {
		if (!isLive(process)) {
			return {};
		}

		return {durationMs: Math.max(0, this.clock.uptimeMs() - startedAtUptimeMs(process.state.start))};
	}
}

function outputView(stdout: OutputTail, stderr: OutputTail) {
	return {
		stdout: stdout.text,
		stderr: stderr.text,
		stdoutBytes: stdout.totalBytes,
		stderrBytes: stderr.totalBytes,
		stdoutDropped: stdout.baseOffset,
		stderrDropped: stderr.baseOffset,
	};
}

function isAsMuch(one: ProcessWithOutput, other: ProcessWithOutput): boolean {
	return (
		one.stdoutBytes === other.stdoutBytes &&
		one.stderrBytes === other.stderrBytes &&
		one.stdoutDropped === other.stdoutDropped &&
		one.stderrDropped === other.stderrDropped
	);
}
