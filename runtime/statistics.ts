import type {Supervisor, SupervisorState} from '../lib/index.js';

/** Durations that averages are made of: the last ones, so that what was slow a week ago does not count. */
const keptDurations = 1000;

/** What has happened since the daemon started. */
export class Statistics {
	#requests = 0;
	#errors = 0;
	#executions = 0;
	readonly #durations: number[] = [];

	/** Counts what this supervisor runs. */
	watch(supervisor: Pick<Supervisor, 'on'>): void {
		supervisor.on('queued', () => {
			this.#executions += 1;
		});
		supervisor.on('ended', ({process: {durationMs}}) => this.#addDuration(durationMs));
	}

	/** A request was answered with this status. */
	countRequest(status: number): void {
		this.#requests += 1;
		this.#errors += status >= 400 ? 1 : 0;
	}

	/** In the spelling of the HTTP API. */
	snapshot({running, queued}: SupervisorState): object {
		const durations = this.#durations.toSorted((a, b) => a - b);
		return {
			uptime_seconds: Math.floor(process.uptime()),
			total_executions: this.#executions,
			active_executions: running,
			queued_executions: queued,
			requests_total: this.#requests,
			error_count: this.#errors,
			avg_duration_ms: Math.round(
				durations.reduce((sum, duration) => sum + duration, 0) / Math.max(1, durations.length),
			),
			p95_duration_ms: durations[Math.ceil(durations.length * 0.95) - 1] ?? 0,
		};
	}

	#addDuration(durationMs: number | null): void {
		if (durationMs === null) {
			return;
		}

		this.#durations.push(durationMs);
		if (this.#durations.length > keptDurations) {
			this.#durations.shift();
		}
	}
}
