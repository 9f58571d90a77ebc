import type {Confinement, LimitName} from '../../lib/index.js';
import type {Figures, ProcessId, Usage} from '../../lib/process.js';

/** No cgroups, unless the test says so. */
export class FakeConfinement implements Confinement {
	readonly kind = 'session';
	readonly limits: ReadonlySet<LimitName> = new Set();
	readonly released: string[] = [];
	readonly prepared: ProcessId[] = [];
	readonly cgroups = new Map<ProcessId, string>();
	/** Paths of cgroups that are not empty. */
	readonly populated = new Set<string>();
	isOutOfMemory = false;

	prepare(processId: ProcessId): string | null {
		this.prepared.push(processId);
		return this.cgroups.get(processId) ?? null;
	}

	figures(): Figures | null {
		return null;
	}

	usage(): Usage {
		return {cpuMs: 120, memoryPeakBytes: 4096};
	}

	wasOutOfMemory(): boolean {
		return this.isOutOfMemory;
	}

	release(cgroup: string): boolean {
		this.released.push(cgroup);
		return !this.populated.has(cgroup);
	}

	close(): void {
		// Nothing was made.
	}

	list(): ReadonlyMap<ProcessId, string> {
		return this.cgroups;
	}
}
