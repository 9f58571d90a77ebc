import type {KillOptions} from './api.js';
import {ProcessEndedError, ShuttingDownError} from './errors.js';
import {Ledger} from './ledger.js';
import {Leftovers} from './leftovers.js';
import type {Clock, Launcher} from './ports.js';
import {hasStarted, hasStatus, isLive, type ProcessId, type ProcessRecord, type QueuedProcess} from './process.js';
import {type Process, toProcess} from './process-view.js';
import {Queries} from './queries.js';
import {Reaper} from './reaper.js';
import type {Settings} from './settings.js';
import {Termination} from './termination.js';
import {inject, injectable, Tokens} from './tokens.js';
import {recordStopBeforeStart} from './transitions.js';
import {Waits} from './waits.js';

/** Decides what a kill means for a process as it is: taken out of the queue, ended, or freed of what it left behind. */
@injectable()
export class Kills {
	constructor(
		@inject(Tokens.launcher) private readonly launcher: Launcher,
		@inject(Tokens.clock) private readonly clock: Clock,
		@inject(Tokens.settings) private readonly settings: Settings,
		@inject(Ledger) private readonly ledger: Ledger,
		@inject(Leftovers) private readonly leftovers: Leftovers,
		@inject(Queries) private readonly queries: Queries,
		@inject(Reaper) private readonly reaper: Reaper,
		@inject(Termination) private readonly termination: Termination,
		@inject(Waits) private readonly waits: Waits,
	) {}

	/**
	 * Settles when nothing of the process is alive.
	 * @param closing - Aborted when the supervisor is closed.
	 * @throws {ProcessNotFoundError}
	 * @throws {ProcessEndedError}
	 * @throws {ShuttingDownError}
	 */
	async kill(processId: ProcessId, manner: KillOptions, closing: AbortSignal): Promise<Process> {
		const {gracePeriodMs = this.settings.gracePeriodMs, signal = 'SIGTERM'} = manner;
		const found = this.queries.find(processId);
		// It may have ended by itself, and the notice of it still wait for its turn.
		const process = await this.#begun(this.reaper.look(processId) ?? found, closing);
		assertOpen(closing);

		if (isLive(process)) {
			return toProcess(await this.termination.stop(process, 'request', {signal, gracePeriodMs}));
		}

		if (hasStatus(process, 'ended') && hasStarted(process) && (await this.leftovers.isAny(process))) {
			assertOpen(closing);
			await this.termination.endLeftover(process, {signal, gracePeriodMs});
			this.leftovers.noteGone(process);
			return {...toProcess(process), leftover: 0};
		}

		const ended = toProcess(process);
		if (ended.status !== 'killed') {
			throw new ProcessEndedError(processId, whyNotRunning(ended));
		}

		return ended;
	}

	/** Its time is over. Termination logs what fails: nobody waits here. */
	endOverdue(processId: ProcessId): void {
		// A host that was busy looks late: whatever ended in time was not ended by us.
		const process = this.reaper.look(processId);
		const manner = {signal: 'SIGTERM', gracePeriodMs: this.settings.gracePeriodMs} as const;
		if (process !== null && hasStatus(process, 'running')) {
			void this.termination.stop(process, 'timeout', manner).catch(() => undefined);
		} else if (process !== null && hasStatus(process, 'ended') && hasStarted(process) && process.state.leftover > 0) {
			void this.termination.endLeftover(process, manner).catch(() => undefined);
		}
	}

	/** The process once it runs or has ended. One that waits is taken out of the queue, and never runs. */
	async #begun(process: ProcessRecord, closing: AbortSignal): Promise<ProcessRecord> {
		if (!hasStatus(process, 'queued')) {
			return process;
		}

		// Or an earlier kill took the claim, and its end could not be committed then.
		if (this.launcher.withdraw(process.processId) || this.launcher.claim(process.processId).by === 'supervisor') {
			return this.#endBeforeStart(process);
		}

		// Its shim was first: the command is about to run.
		return this.waits.until(process, ({state}) => state.status !== 'queued', closing);
	}

	#endBeforeStart(process: QueuedProcess): ProcessRecord {
		const ended = recordStopBeforeStart(process, 'request', this.clock.now());
		this.ledger.record(ended);
		this.leftovers.watch(ended);
		return ended;
	}
}

/** Closed while we waited: the keeper may have read by now what it is to finish. */
function assertOpen(closing: AbortSignal): void {
	if (closing.aborted) {
		throw new ShuttingDownError();
	}
}

/** Its group may be gone before anybody has noticed its end. */
export function whyNotRunning({status, reason}: Process): ProcessEndedError['why'] {
	return reason ?? (status === 'queued' ? 'queued' : 'ending');
}
