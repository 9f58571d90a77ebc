import type {AnyProcessEvent, EventListener, EventType} from './events.js';
import type {Logger} from './ports.js';
import type {ProcessId} from './process.js';
import type {Process} from './process-view.js';
import {inject, injectable, Tokens} from './tokens.js';

import eventemitter3 = require('eventemitter3');

type Waiter = (process: Process) => void;
type Watcher = (event: AnyProcessEvent) => void;

/** Announces what the store has accepted. */
@injectable()
export class EventBus {
	readonly #emitter = new eventemitter3.EventEmitter<EventType>();
	/** Who waits for one process; kept apart so that an event costs nothing for those who wait for others. */
	readonly #waiters = new Map<ProcessId, Set<Waiter>>();

	/** Who wants to know that there is something to read. */
	readonly #watchers = new Set<Watcher>();

	constructor(@inject(Tokens.logger) private readonly logger: Logger) {}

	on<Type extends EventType>(type: Type, listener: EventListener<Type>): void {
		this.#emitter.on(type, listener);
	}

	off<Type extends EventType>(type: Type, listener: EventListener<Type>): void {
		this.#emitter.off(type, listener);
	}

	announce(event: AnyProcessEvent): void {
		this.wake(event.process);
		for (const watcher of this.#watchers) {
			watcher(event);
		}

		for (const listener of this.#emitter.listeners(event.type)) {
			this.#tell(listener as (event: AnyProcessEvent) => unknown, event);
		}
	}

	/** Tells only those who wait for this process that something about it has changed. */
	wake(process: Process): void {
		for (const waiter of this.#waiters.get(process.processId) ?? []) {
			waiter(process);
		}
	}

	/** Calls `waiter` after each event of one process, until the returned function is called. */
	follow(processId: ProcessId, waiter: Waiter): () => void {
		const waiters = this.#waiters.get(processId) ?? new Set();
		this.#waiters.set(processId, waiters);
		waiters.add(waiter);
		return () => {
			waiters.delete(waiter);
			if (waiters.size === 0) {
				this.#waiters.delete(processId);
			}
		};
	}

	/** Calls `watcher` after each event, until the returned function is called. */
	watch(watcher: Watcher): () => void {
		this.#watchers.add(watcher);
		return () => this.#watchers.delete(watcher);
	}

	clear(): void {
		this.#emitter.removeAllListeners();
		this.#waiters.clear();
		this.#watchers.clear();
	}

	#tell(listener: (event: AnyProcessEvent) => unknown, event: AnyProcessEvent): void {
		const fail = (error: unknown) =>
			this.logger.error({error, type: event.type, processId: event.process.processId}, 'An event listener failed');
		try {
			const result = listener(event);
			if (result instanceof Promise) {
				result.catch(fail);
			}
		} catch (error) {
			fail(error);
		}
	}
}
