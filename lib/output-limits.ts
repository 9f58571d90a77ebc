import {Admission} from './admission.js';
import {Leftovers} from './leftovers.js';
import type {Clock, Logger, OutputLog, ProcessStore, Timer} from './ports.js';
import type {ProcessId} from './process.js';
import type {Settings} from './settings.js';
import {type OutputStream, outputStreams} from './streams.js';
import {inject, injectable, Tokens} from './tokens.js';

const lookMs = 1000;
/** While somebody writes more than may stay. */
const hurriedLookMs = 200;
/** Others have their turn after so many. */
const processesAtOnce = 100;
/** Some room below a bound: so that a stream that is over it does not cost a program at each look. */
const fullest = 7 / 8;

interface Stream {
	readonly processId: ProcessId;
	readonly stream: OutputStream;
	/** Bytes that are still there. */
	readonly bytes: number;
}

/** Holds what processes write to its bounds: looks at its size now and then, and drops the oldest. Holds nobody up. */
@injectable()
export class OutputLimits {
	/** Looked at last time: who is gone since gets one last look. */
	#writers = new Set<ProcessId>();
	#timer: Timer | null = null;
	#look: Promise<void> = Promise.resolve();
	#isClosed = false;
	/** As they were at the last look. */
	#streams: readonly Stream[] = [];

	constructor(
		@inject(Tokens.store) private readonly store: ProcessStore,
		@inject(Tokens.output) private readonly output: Pick<OutputLog, 'extent' | 'drop'>,
		@inject(Tokens.clock) private readonly clock: Clock,
		@inject(Tokens.settings) private readonly settings: Settings,
		@inject(Tokens.logger) private readonly logger: Logger,
		@inject(Admission) private readonly admission: Admission,
		@inject(Leftovers) private readonly leftovers: Leftovers,
	) {}

	open(): void {
		this.#writers = new Set(this.store.listOpen().map(({processId}) => processId));
		this.#arm(lookMs);
	}

	/** What those that run now had on the disk at the last look. Who has ended since is counted with the ended ones. */
	get heldBytes(): number {
		return this.#runningSizes().reduce((sum, bytes) => sum + bytes, 0);
	}

	/** Settles when nothing is under way any more. */
	async close(): Promise<void> {
		this.#isClosed = true;
		this.#timer?.cancel();
		await this.#look;
	}

	#arm(delayMs: number): void {
		if (!this.#isClosed) {
			this.#timer = this.clock.setTimer(delayMs, () => {
				this.#look = this.#lookAtAll();
			});
		}
	}

	async #lookAtAll(): Promise<void> {
		let isAnyTooLong = false;
		try {
			isAnyTooLong = await this.#holdAll();
		} catch (error) {
			this.logger.error({error}, 'Output could not be held to its bounds; it will be tried again');
		}

		this.#arm(isAnyTooLong ? hurriedLookMs : lookMs);
	}

	/** Says whether something was over a bound. */
	async #holdAll(): Promise<boolean> {
		const writers = new Set([...this.admission.admitted, ...this.leftovers.watched]);
		for (const processId of this.admission.takeLeft()) {
			this.#writers.add(processId);
		}

		this.#streams = await this.#measure(new Set([...this.#writers, ...writers]));
		this.#writers = writers;
		const {maxStreamBytes, maxTotalBytes} = this.settings.output;
		// What ended processes have left falls to retention, which forgets the oldest of them.
		const shared = Math.min(maxStreamBytes, commonBound(this.#runningSizes(), maxTotalBytes));
		const boundOf = (stream: Stream) => (this.#isRunning(stream) ? shared : maxStreamBytes);
		const tooLong = this.#streams.filter(stream => stream.bytes > boundOf(stream));
		for (const stream of tooLong) {
			if (!this.#isClosed) {
				await this.#drop(stream, Math.floor(boundOf(stream) * fullest));
			}
		}

		return tooLong.length > 0;
	}

	#isRunning({processId}: Stream): boolean {
		return this.admission.isAdmitted(processId);
	}

	#runningSizes(): number[] {
		return this.#streams.filter(stream => this.#isRunning(stream)).map(({bytes}) => bytes);
	}

	async #measure(processIds: ReadonlySet<ProcessId>): Promise<Stream[]> {
		const streams: Stream[] = [];
		for (const [index, processId] of [...processIds].entries()) {
			if (index % processesAtOnce === processesAtOnce - 1) {
				await new Promise(resolve => setImmediate(resolve));
			}

			for (const stream of outputStreams) {
				const {baseOffset, totalBytes} = this.output.extent(processId, stream);
				streams.push({processId, stream, bytes: totalBytes - baseOffset});
			}
		}

		return streams;
	}

	async #drop({processId, stream}: Stream, keepBytes: number): Promise<void> {
		try {
			await this.output.drop(processId, stream, keepBytes);
		} catch (error) {
			// A full process table, for instance. Or it was just forgotten.
			this.logger.warn({error, processId, stream}, 'Old output could not be dropped; it will be tried again');
		}
	}
}

/**
 * The bound for each stream at which all together hold the total: the short ones keep all they have, the long ones
 * as much as each other.
 */
export function commonBound(sizes: readonly number[], total: number): number {
	let left = total;
	const ascending = [...sizes].sort((a, b) => a - b);
	for (const [index, size] of ascending.entries()) {
		const share = left / (ascending.length - index);
		if (size > share) {
			return share;
		}

		left -= size;
	}

	return Number.POSITIVE_INFINITY;
}
