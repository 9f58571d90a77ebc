import type {Claim, Launcher, Report} from '../../lib/index.js';
import type {ProcessId, QueuedProcess, Start, Stop} from '../../lib/process.js';
import type {ObservedEnd} from '../../lib/transitions.js';
import {aStart} from './a-process.js';

type Prepared = Omit<QueuedProcess, 'sequence'>;

const nothing: Report = {start: null, end: null, stop: null, leftoverStop: null};

/** Runs nothing: the test says what shims wrote. */
export class FakeLauncher implements Launcher {
	readonly prepared = new Map<ProcessId, Prepared>();
	readonly environments = new Map<ProcessId, ReadonlyMap<string, string>>();
	readonly launched: ProcessId[] = [];
	readonly closed: ProcessId[] = [];
	isOpen = false;
	canWatch = true;
	onChange: (processId: ProcessId) => void = () => undefined;
	readonly #claims = new Map<ProcessId, Claim>();
	readonly #reports = new Map<ProcessId, Report>();

	/** A shim takes the claim. */
	takeClaim(processId: ProcessId, claim: Claim = {by: 'shim', identity: aStart.identity}): void {
		this.#claims.set(processId, claim);
	}

	/** A shim, or the dead man's switch, writes a line of the record. */
	write(processId: ProcessId, lines: Partial<Report>): void {
		this.#reports.set(processId, {...this.read(processId), ...lines});
	}

	writeStart(processId: ProcessId, start: Start = aStart): void {
		this.takeClaim(processId, {by: 'shim', identity: start.identity});
		this.write(processId, {start});
	}

	writeEnd(processId: ProcessId, end: Partial<ObservedEnd> = {}): void {
		this.write(processId, {end: {exitCode: 0, endedAt: 2000, durationMs: 1000, ...end}});
	}

	open(): void {
		this.isOpen = true;
	}

	prepare(process: Prepared, env: ReadonlyMap<string, string>): void {
		this.prepared.set(process.processId, process);
		this.environments.set(process.processId, env);
	}

	launch(processId: ProcessId): void {
		this.launched.push(processId);
	}

	withdraw(processId: ProcessId): boolean {
		const isFree = this.claim(processId).by === 'nobody';
		if (isFree) {
			this.takeClaim(processId, {by: 'supervisor'});
		}

		return isFree;
	}

	claim(processId: ProcessId): Claim {
		return this.#claims.get(processId) ?? {by: 'nobody'};
	}

	read(processId: ProcessId): Report {
		return this.#reports.get(processId) ?? nothing;
	}

	closeRecord(processId: ProcessId): void {
		this.closed.push(processId);
	}

	orderStop(processId: ProcessId, stop: Stop): void {
		const {isBlocked, ...order} = stop;
		this.write(processId, this.read(processId).end === null ? {stop: order} : {leftoverStop: order});
	}

	/** What the output of a process takes on the disk. */
	readonly sizes = new Map<ProcessId, number>();

	outputBytes(processId: ProcessId): number {
		return this.sizes.get(processId) ?? 0;
	}

	discard(processId: ProcessId): void {
		this.prepared.delete(processId);
	}

	listPrepared(): ProcessId[] {
		return [...this.prepared.keys()];
	}

	recall(processId: ProcessId): Prepared | null {
		return this.prepared.get(processId) ?? null;
	}

	watch(onChange: (processId: ProcessId) => void): boolean {
		this.onChange = onChange;
		return this.canWatch;
	}

	async close(): Promise<void> {
		this.isOpen = false;
	}
}
