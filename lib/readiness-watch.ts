import {EventBus} from './event-bus.js';
import {Ledger} from './ledger.js';
import type {Clock, Logger, ProcessStore, ReadinessProbe, Timer, Watch} from './ports.js';
import {hasStatus, type ProcessId, type ReadyFact, type RunningProcess, startedAtUptimeMs} from './process.js';
import {inject, injectable, Tokens} from './tokens.js';
import {recordReady} from './transitions.js';

/** Where a fact could not be stored (a full disk, for instance), the watch begins again this much later. */
const retryMs = 1000;

/** Watches running processes until they are ready, end, or their time for it is over. */
@injectable()
export class ReadinessWatch {
	readonly #stops = new Map<ProcessId, () => void>();
	#isClosed = false;

	constructor(
		@inject(Tokens.store) private readonly store: ProcessStore,
		@inject(Tokens.readinessProbe) private readonly probe: ReadinessProbe,
		@inject(Tokens.clock) private readonly clock: Clock,
		@inject(Tokens.logger) private readonly logger: Logger,
		@inject(EventBus) private readonly bus: EventBus,
		@inject(Ledger) private readonly ledger: Ledger,
	) {}

	/** Begins for one that runs, if it was asked for and has not come to an end. Again does no harm. */
	begin(process: RunningProcess): void {
		const {processId, command, state} = process;
		if (command.ready === null || state.ready !== undefined || this.#stops.has(processId) || this.#isClosed) {
			return;
		}

		let watch: Watch | null = null;
		let timer: Timer | null = null;
		// From the start of the command on: so a restart of ours neither shortens nor stretches it.
		const endsAt = startedAtUptimeMs(state.start) + command.ready.timeoutMs;
		const leftMs = Math.max(0, endsAt - this.clock.uptimeMs());
		const unfollow = this.bus.follow(processId, ({status, stopping}) => {
			if (status !== 'running' || stopping !== null) {
				this.#stop(processId);
			}
		});
		this.#stops.set(processId, () => {
			watch?.stop();
			timer?.cancel();
			unfollow();
		});
		timer = this.clock.setTimer(leftMs, () => this.#settle(processId, 'timed_out'));
		watch = this.probe.watch(process, command.ready, () => this.#settle(processId, 'ready'));
	}

	close(): void {
		this.#isClosed = true;
		for (const processId of [...this.#stops.keys()]) {
			this.#stop(processId);
		}
	}

	#stop(processId: ProcessId): void {
		this.#stops.get(processId)?.();
		this.#stops.delete(processId);
	}

	#settle(processId: ProcessId, status: ReadyFact['status']): void {
		this.#stop(processId);
		try {
			const process = this.store.find(processId);
			if (process !== null && hasStatus(process, 'running') && process.state.ready === undefined) {
				const fact = {status, at: this.clock.now()};
				this.ledger.recordReady(recordReady(process, fact), fact);
			}
		} catch (error) {
			this.logger.error({error, processId}, 'Whether a process is ready could not be stored; it will be tried again');
			const timer = this.clock.setTimer(retryMs, () => {
				this.#stops.delete(processId);
				this.#settle(processId, status);
			});
			this.#stops.set(processId, () => timer.cancel());
		}
	}
}
