import type {Clock, Logger, Timer} from './ports.js';
import {
	hasStarted,
	hasStatus,
	type ProcessId,
	type ProcessRecord,
	type StartedProcess,
	startedAtUptimeMs,
} from './process.js';
import {inject, injectable, Tokens} from './tokens.js';

// Timers stand still while the machine sleeps, and setTimeout above 2^31-1 ms fires at once: so
// the clock is looked at again now and then.
const longestTimerMs = 60_000;
/** One that cannot be ended for now is overdue again this much later. */
const retryMs = 1000;

/** Holds the timeouts of running processes, by the clock since boot. */
@injectable()
export class Deadlines {
	readonly #deadlines = new Map<ProcessId, number>();
	#timer: Timer | null = null;
	#nextAt = Number.POSITIVE_INFINITY;
	#onOverdue: (processId: ProcessId) => void = () => undefined;

	constructor(
		@inject(Tokens.clock) private readonly clock: Clock,
		@inject(Tokens.logger) private readonly logger: Logger,
	) {}

	/** Calls back once for each process whose time is over. */
	open(onOverdue: (processId: ProcessId) => void): void {
		this.#onOverdue = onOverdue;
	}

	/** Begins to hold the deadline of a process that runs, or has left something behind, and has one. */
	hold(process: ProcessRecord): void {
		const {timeoutMs} = process.command;
		if (timeoutMs > 0 && hasDeadline(process)) {
			const deadline = startedAtUptimeMs(process.state.start) + timeoutMs;
			this.#deadlines.set(process.processId, deadline);
			if (deadline < this.#nextAt) {
				this.#arm(deadline);
			}
		}
	}

	release(processId: ProcessId): void {
		this.#deadlines.delete(processId);
	}

	close(): void {
		this.#timer?.cancel();
		this.#deadlines.clear();
	}

	#arm(deadline: number): void {
		this.#timer?.cancel();
		this.#nextAt = deadline;
		const delayMs = Math.min(Math.max(0, deadline - this.clock.uptimeMs()), longestTimerMs);
		this.#timer = this.clock.setTimer(delayMs, () => this.#look());
	}

	#look(): void {
		const now = this.clock.uptimeMs();
		for (const [processId, deadline] of this.#deadlines) {
			if (deadline <= now) {
				this.#deadlines.delete(processId);
				this.#tell(processId);
			}
		}

		this.#timer = null;
		this.#nextAt = Number.POSITIVE_INFINITY;
		let next = Number.POSITIVE_INFINITY;
		for (const deadline of this.#deadlines.values()) {
			next = Math.min(next, deadline);
		}

		if (next !== Number.POSITIVE_INFINITY) {
			this.#arm(next);
		}
	}

	/** A full disk, for instance, must neither stop the other deadlines nor let this one be forgotten. */
	#tell(processId: ProcessId): void {
		try {
			this.#onOverdue(processId);
		} catch (error) {
			this.logger.error({error, processId}, 'A process whose time is over could not be ended; it will be tried again');
			this.#deadlines.set(processId, this.clock.uptimeMs() + retryMs);
		}
	}
}

/** One that is being ended will be gone without it. */
function hasDeadline(process: ProcessRecord): process is StartedProcess {
	return hasStatus(process, 'ended')
		? hasStarted(process) && process.state.leftover > 0
		: hasStatus(process, 'running');
}
