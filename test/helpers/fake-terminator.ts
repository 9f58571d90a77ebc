import type {Clock, Terminator, TreeHandle} from '../../lib/index.js';
import type {ProcessId, StartedProcess} from '../../lib/process.js';

/** Trees that do what the test says, and a list of what was sent to them, and when. */
export class FakeTerminator implements Terminator {
	/** For instance `SIGTERM proc_1 +0.0`: in whole tenths of a second since the terminator was made. */
	readonly sent: string[] = [];
	/** What a tree does about SIGTERM. By default it ignores it. */
	onAsk: (processId: ProcessId) => void = () => undefined;
	/** What happens once it was killed. */
	onKill: (processId: ProcessId) => void = () => undefined;
	/** How many of an ended process are alive. */
	readonly leftover = new Map<ProcessId, number>();
	/** How often somebody looked what is alive. */
	surveys = 0;
	readonly #gone = new Set<ProcessId>();
	readonly #blocked = new Map<ProcessId, Promise<void>>();
	readonly #madeAt: number;

	constructor(private readonly clock: Clock) {
		this.#madeAt = clock.uptimeMs();
	}

	/** Nothing of the tree is alive any more. */
	leave(processId: ProcessId): void {
		this.#gone.add(processId);
		this.leftover.delete(processId);
	}

	/** SIGKILL does not reach it before the returned function is called. */
	block(processId: ProcessId): () => void {
		let wake: () => void = () => undefined;
		this.#blocked.set(
			processId,
			new Promise(resolve => {
				wake = resolve;
			}),
		);
		return wake;
	}

	target({processId}: StartedProcess): TreeHandle {
		return {
			ask: async signal => {
				this.#note(signal, processId);
				this.onAsk(processId);
			},
			kill: async onBlocked => {
				this.#note('SIGKILL', processId);
				if (this.#blocked.has(processId)) {
					onBlocked();
					await this.#blocked.get(processId);
				}

				this.leave(processId);
				this.onKill(processId);
			},
			isGone: () => this.#gone.has(processId),
			signal: signal => {
				this.#note(signal, processId);
				return !this.#gone.has(processId);
			},
			abort: () => undefined,
		};
	}

	survey(processes: readonly StartedProcess[]): ReadonlyMap<ProcessId, number> {
		this.surveys++;
		return new Map(
			processes.flatMap(({processId}) => {
				const count = this.leftover.get(processId);
				return count === undefined ? [] : [[processId, count]];
			}),
		);
	}

	#note(signal: string, processId: ProcessId): void {
		const tenths = Math.floor((this.clock.uptimeMs() - this.#madeAt) / 100);
		this.sent.push(`${signal} ${processId} +${(tenths / 10).toFixed(1)}`);
	}
}
