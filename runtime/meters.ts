import {Counter, collectDefaultMetrics, Gauge, Histogram, Registry} from 'prom-client';
import type {SupervisorState} from '../lib/index.js';
import type {Fact} from './fact.js';

/** All that is measured, in a registry of its own: the global one belongs to whoever embeds us. */
export class Meters {
	readonly #registry = new Registry();
	readonly #registers = [this.#registry];

	readonly #processes = new Gauge({
		name: 'nohupd_processes',
		help: 'Processes that run or wait in the queue now.',
		labelNames: ['status'],
		registers: this.#registers,
	});

	readonly #starts = new Counter({
		name: 'nohupd_starts_total',
		help: 'Commands that began to run.',
		registers: this.#registers,
	});

	readonly #latency = new Histogram({
		name: 'nohupd_start_latency_seconds',
		help: 'From accepted to running, the wait in the queue included.',
		buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300],
		registers: this.#registers,
	});

	readonly #ended = new Counter({
		name: 'nohupd_processes_ended_total',
		help: 'Processes that ended, by documented status and reason.',
		labelNames: ['status', 'reason'],
		registers: this.#registers,
	});

	readonly #duration = new Histogram({
		name: 'nohupd_process_duration_seconds',
		help: 'Running time of processes that ended.',
		buckets: [0.01, 0.1, 0.5, 1, 5, 30, 60, 300, 1800, 3600, 21_600, 86_400],
		registers: this.#registers,
	});

	readonly #kills = new Counter({
		name: 'nohupd_kills_total',
		help: 'Processes ended by a request or their timeout, by what held them together.',
		labelNames: ['containment', 'reason'],
		registers: this.#registers,
	});

	readonly #output = new Counter({
		name: 'nohupd_output_bytes_total',
		help: 'Bytes written by processes that ended.',
		labelNames: ['stream'],
		registers: this.#registers,
	});

	readonly #dropped = new Counter({
		name: 'nohupd_output_dropped_bytes_total',
		help: 'Of these, bytes that are no longer kept.',
		labelNames: ['stream'],
		registers: this.#registers,
	});

	constructor(recovered: number) {
		new Gauge({
			name: 'nohupd_recovered_processes',
			help: 'Processes of an earlier daemon that this one took over when it started.',
			registers: this.#registers,
		}).set(recovered);
		// Delay of the event loop, memory, processor time, descriptors, garbage collection.
		collectDefaultMetrics({register: this.#registry});
	}

	get contentType(): string {
		return this.#registry.contentType;
	}

	count(fact: Fact): void {
		switch (fact.kind) {
			case 'started':
				this.#starts.inc();
				this.#latency.observe(fact.latencyMs / 1000);
				break;
			case 'ended':
				this.#countEnd(fact);
				break;
			case 'output':
				for (const stream of ['stdout', 'stderr'] as const) {
					this.#output.inc({stream}, fact[stream].bytes);
					this.#dropped.inc({stream}, fact[stream].droppedBytes);
				}
		}
	}

	render({running, queued}: SupervisorState): Promise<string> {
		this.#processes.set({status: 'running'}, running);
		this.#processes.set({status: 'queued'}, queued);
		return this.#registry.metrics();
	}

	#countEnd({status, reason, containment, durationMs}: Extract<Fact, {kind: 'ended'}>): void {
		this.#ended.inc({status, reason});
		if (durationMs !== null) {
			this.#duration.observe(durationMs / 1000);
		}

		if (status === 'killed') {
			this.#kills.inc({containment, reason});
		}
	}
}
