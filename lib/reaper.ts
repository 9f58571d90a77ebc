import {Ledger} from './ledger.js';
import {Leftovers} from './leftovers.js';
import type {Confinement, Launcher, ProcessStore} from './ports.js';
import {hasStatus, type ProcessId, type ProcessRecord} from './process.js';
import {ReadinessWatch} from './readiness-watch.js';
import {Termination} from './termination.js';
import {inject, injectable, Tokens} from './tokens.js';
import {type ObservedEnd, recordEnd, recordStart} from './transitions.js';

/** Reads records and writes what they tell into the store. Never ends anything. */
@injectable()
export class Reaper {
	constructor(
		@inject(Tokens.store) private readonly store: ProcessStore,
		@inject(Tokens.launcher) private readonly launcher: Launcher,
		@inject(Tokens.confinement) private readonly confinement: Confinement,
		@inject(Ledger) private readonly ledger: Ledger,
		@inject(Leftovers) private readonly leftovers: Leftovers,
		@inject(Termination) private readonly termination: Termination,
		@inject(ReadinessWatch) private readonly readiness: ReadinessWatch,
	) {}

	/** Looks at one record, and gives the process as it is then; `null` if it is not known. */
	look(processId: ProcessId): ProcessRecord | null {
		const process = this.store.find(processId);
		if (process === null || process.state.status === 'ended' || this.termination.isEnding(processId)) {
			return process;
		}

		const report = this.launcher.read(processId);
		const changes: ProcessRecord[] = [];
		let current: ProcessRecord = process;
		if (hasStatus(current, 'queued') && report.start !== null) {
			current = recordStart(current, report.start);
			changes.push(current);
		}

		// One that is being ended has ended when nothing of its tree is left: that is not ours to see.
		// Nor is what its record says was to be ended: somebody must still look whether all are gone.
		if (report.end !== null && current.state.status !== 'stopping' && report.stop === null) {
			current = recordEnd(current, this.#withUsage(current, report.end));
			changes.push(current);
		}

		if (changes.length > 0) {
			this.ledger.record(...changes);
			this.#lookAfter(current);
		}

		return current;
	}

	/** Settles one whose record will never be written any more. */
	giveUp(process: ProcessRecord, why: 'lost' | 'reboot' | 'start_failed', message: string, endedAt: number): void {
		const ended = recordEnd(process, {exitCode: null, endedAt, durationMs: null, why, message});
		this.ledger.record(ended);
		this.launcher.closeRecord(process.processId, endedAt);
		this.#lookAfter(ended);
	}

	#withUsage({cgroup}: ProcessRecord, end: ObservedEnd): ObservedEnd {
		if (cgroup === null) {
			return end;
		}

		const usage = this.confinement.usage(cgroup);
		const isOutOfMemory = end.exitCode !== 0 && this.confinement.wasOutOfMemory(cgroup);
		return isOutOfMemory ? {...end, usage, why: 'oom'} : {...end, usage};
	}

	#lookAfter(process: ProcessRecord): void {
		if (hasStatus(process, 'ended')) {
			this.leftovers.watch(process);
		} else if (hasStatus(process, 'running')) {
			this.readiness.begin(process);
		}
	}
}
