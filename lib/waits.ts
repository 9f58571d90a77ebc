import {WaitAbortedError} from './errors.js';
import {EventBus} from './event-bus.js';
import type {ProcessRecord} from './process.js';
import {Queries} from './queries.js';
import {inject, injectable} from './tokens.js';

/** Waits until a process is as somebody wants it. */
@injectable()
export class Waits {
	constructor(
		@inject(Queries) private readonly queries: Queries,
		@inject(EventBus) private readonly bus: EventBus,
	) {}

	/**
	 * Settles with the process as soon as `isGood` holds.
	 * @param closing - Its reason is what is told to whoever still waits.
	 * @throws {WaitAbortedError} on `signal`.
	 */
	async until(
		process: ProcessRecord,
		isGood: (process: ProcessRecord) => boolean,
		closing: AbortSignal,
		signal?: AbortSignal,
	): Promise<ProcessRecord> {
		if (isGood(process)) {
			return process;
		}

		const {processId} = process;
		return new Promise((resolve, reject) => {
			const finish = (settle: () => void) => {
				unfollow();
				signal?.removeEventListener('abort', onAbort);
				closing.removeEventListener('abort', onClosing);
				settle();
			};
			const onAbort = () => finish(() => reject(new WaitAbortedError(processId, {cause: signal?.reason})));
			const onClosing = () => finish(() => reject(closing.reason));
			const unfollow = this.bus.follow(processId, () => {
				const current = this.queries.find(processId);
				if (isGood(current)) {
					finish(() => resolve(current));
				}
			});
			signal?.addEventListener('abort', onAbort);
			closing.addEventListener('abort', onClosing);
			if (signal?.aborted === true) {
				onAbort();
			}
		});
	}
}
