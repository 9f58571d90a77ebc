import type {Process, Supervisor} from '../lib/index.js';
import type {Fact} from './fact.js';
import type {Meters} from './meters.js';

/** So many facts are kept while nobody asks. */
const maxPending = 1000;

/**
 * Counts for Prometheus. The library that does it takes 10 MB: it is loaded when somebody asks, or when more has
 * happened than is kept until then. So an idle daemon stays small, and no count is ever missing.
 */
export class Metrics {
	#pending: Fact[] = [];
	#meters: Promise<Meters> | null = null;
	readonly #recovered: number;

	constructor(private readonly supervisor: Pick<Supervisor, 'on' | 'get' | 'state'>) {
		const {running, queued} = supervisor.state();
		this.#recovered = running + queued;
		supervisor.on('started', ({process}) => this.#onStarted(process));
		supervisor.on('ended', ({process}) => this.#onEnded(process));
	}

	/** In the text format 0.0.4 of Prometheus. */
	async render(): Promise<{readonly contentType: string; readonly text: string}> {
		const meters = await this.#load();
		this.#flush(meters);
		return {contentType: meters.contentType, text: await meters.render(this.supervisor.state())};
	}

	#onStarted({createdAt, startedAt}: Process): void {
		// The wall clock may be set in between.
		this.#note({kind: 'started', latencyMs: Math.max(0, (startedAt ?? createdAt) - createdAt)});
	}

	#onEnded({processId, status, reason, containment, durationMs}: Process): void {
		if (reason !== null) {
			this.#note({kind: 'ended', status, reason, containment, durationMs});
		}

		this.supervisor.get(processId, {tailBytes: 0}).then(
			({stdoutBytes, stdoutDropped, stderrBytes, stderrDropped}) =>
				this.#note({
					kind: 'output',
					stdout: {bytes: stdoutBytes, droppedBytes: stdoutDropped},
					stderr: {bytes: stderrBytes, droppedBytes: stderrDropped},
				}),
			// It is removed already, or we are closing.
			() => undefined,
		);
	}

	#note(fact: Fact): void {
		this.#pending.push(fact);
		if (this.#pending.length >= maxPending) {
			void this.#load().then(meters => this.#flush(meters));
		}
	}

	#load(): Promise<Meters> {
		this.#meters ??= import('./meters.js').then(({Meters}) => new Meters(this.#recovered));
		return this.#meters;
	}

	#flush(meters: Meters): void {
		const facts = this.#pending;
		this.#pending = [];
		for (const fact of facts) {
			meters.count(fact);
		}
	}
}
