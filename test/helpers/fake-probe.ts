import type {ReadinessProbe, Watch} from '../../lib/index.js';
import type {ProcessId, Readiness, RunningProcess} from '../../lib/process.js';

/** Asks nobody: the test says who is ready. */
export class FakeProbe implements ReadinessProbe {
	/** Those that are watched, and for what. */
	readonly watched = new Map<ProcessId, Readiness>();
	readonly #found = new Map<ProcessId, () => void>();

	watch({processId}: RunningProcess, readiness: Readiness, onReady: () => void): Watch {
		this.watched.set(processId, readiness);
		this.#found.set(processId, onReady);
		return {stop: () => this.watched.delete(processId)};
	}

	/** A look finds it ready: also one that was under way when the watch was stopped. */
	find(processId: ProcessId): void {
		this.#found.get(processId)?.();
	}
}
