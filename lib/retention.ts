import {Ledger} from './ledger.js';
import {Leftovers} from './leftovers.js';
import {OutputLimits} from './output-limits.js';
import type {Archive, ArchivedProcess, Clock, Confinement, EventStore, Launcher, Logger, Timer} from './ports.js';
import type {EndedProcess} from './process.js';
import type {RetentionBounds, Settings} from './settings.js';
import {inject, injectable, Tokens} from './tokens.js';

/** A start has better things to do. */
const firstLookMs = 10_000;
/** Whether much has happened is asked this often, and costs next to nothing. */
const tickMs = 1000;
const ticksBetweenLooks = 60;
/** About a hundred commands. */
const manyEvents = 300;
/** A look through all processes of the machine is shared by so many. */
const batch = 100;
/** One takes up to 0.5 ms: in between others have their turn. */
const forgottenAtOnce = 5;
/** Two looks at files, and a shared write. */
const countedAtOnce = 20;
const restMs = 5;

/** Forgets ended processes: the oldest first, by age, by number and by what their output takes; and at once when told to. */
@injectable()
export class Retention {
	#timer: Timer | null = null;
	#isClosed = false;

	constructor(
		@inject(Tokens.archive) private readonly archive: Archive,
		@inject(Tokens.events) private readonly events: EventStore,
		@inject(Tokens.launcher) private readonly launcher: Launcher,
		@inject(Tokens.confinement) private readonly confinement: Confinement,
		@inject(Tokens.clock) private readonly clock: Clock,
		@inject(Tokens.settings) private readonly settings: Settings,
		@inject(Tokens.logger) private readonly logger: Logger,
		@inject(Ledger) private readonly ledger: Ledger,
		@inject(Leftovers) private readonly leftovers: Leftovers,
		@inject(OutputLimits) private readonly outputLimits: Pick<OutputLimits, 'heldBytes'>,
	) {}

	/** Looks some time after the start, then every minute and after many ends. */
	open(): void {
		void this.#run();
	}

	/** Whatever is under way stands still. */
	close(): void {
		this.#isClosed = true;
		this.#timer?.cancel();
	}

	/**
	 * Removes all there is of a process of which nothing is alive. Its row goes first, with the word that it was
	 * forgotten: files that a crash leaves without a row are then not taken for those of a process that ran unseen.
	 */
	forget(process: EndedProcess): void {
		this.ledger.forget(process);
		try {
			this.launcher.discard(process.processId);
		} catch (error) {
			const {processId} = process;
			this.logger.warn({error, processId}, 'Files of a forgotten process are left; the next start tries again');
		}

		this.confinement.release(process.cgroup ?? '');
	}

	async #run(): Promise<void> {
		await this.#sleep(firstLookMs);
		for (;;) {
			try {
				await this.#look();
			} catch (error) {
				this.logger.error({error}, 'Ended processes could not be forgotten; it will be tried again');
			}

			await this.#untilDue();
		}
	}

	async #look(): Promise<void> {
		await this.#countOutput();
		await this.#forgetOldest(this.settings.retention);
		await this.#dropEvents(this.settings.retention);
	}

	async #countOutput(): Promise<void> {
		for (;;) {
			// A supervisor that is killed before it has looked at one leaves it uncounted: so the next one knows whom to look at.
			const uncounted = this.archive.listUncounted(countedAtOnce).filter(id => !this.leftovers.isUndecided(id));
			if (uncounted.length === 0) {
				return;
			}

			this.archive.count(new Map(uncounted.map(processId => [processId, this.launcher.outputBytes(processId)])));
			await this.#sleep(restMs);
		}
	}

	async #forgetOldest(bounds: RetentionBounds): Promise<void> {
		const totals = this.archive.totals();
		const before = this.clock.now() - bounds.maxAgeMs;
		// What those that run need goes before what others have left.
		const maxOutputBytes = this.settings.output.maxTotalBytes - this.outputLimits.heldBytes;
		let last: EndedProcess | null = null;
		for (;;) {
			const oldest = this.archive.listOldest(last, batch);
			const due = takeDue(oldest, totals, {...bounds, before, maxOutputBytes});
			last = due.at(-1) ?? null;
			if (last === null) {
				return;
			}

			await this.#forgetAll(this.leftovers.withoutLiving(due));
		}
	}

	async #forgetAll(processes: readonly EndedProcess[]): Promise<void> {
		for (const [index, process] of processes.entries()) {
			this.forget(process);
			if (index % forgottenAtOnce === forgottenAtOnce - 1) {
				await this.#sleep(restMs);
			}
		}
	}

	/** The word that a process was forgotten is kept as an ended process would be. */
	async #dropEvents({maxAgeMs, maxEnded}: RetentionBounds): Promise<void> {
		const bounds = {
			before: this.clock.now() - maxAgeMs,
			keep: Math.min(maxEnded, Number.MAX_SAFE_INTEGER),
			limit: batch,
		};
		while (this.events.dropForgotten(bounds) === batch) {
			await this.#sleep(restMs);
		}
	}

	async #untilDue(): Promise<void> {
		const seen = this.events.lastSequence();
		for (let ticks = 0; ticks < ticksBetweenLooks && this.events.lastSequence() - seen < manyEvents; ticks++) {
			await this.#sleep(tickMs);
		}
	}

	/** Never settles once it is closed: then nothing goes on. */
	#sleep(delayMs: number): Promise<void> {
		return new Promise(resolve => {
			if (!this.#isClosed) {
				this.#timer = this.clock.setTimer(delayMs, resolve);
			}
		});
	}
}

/** Takes those from the oldest on that are too many, too large or too old, and takes them off the totals. */
function takeDue(
	oldest: readonly ArchivedProcess[],
	totals: {count: number; outputBytes: number},
	bounds: RetentionBounds & {readonly before: number; readonly maxOutputBytes: number},
): EndedProcess[] {
	const due: EndedProcess[] = [];
	for (const {process, outputBytes} of oldest) {
		const isDue =
			totals.count > bounds.maxEnded ||
			totals.outputBytes > bounds.maxOutputBytes ||
			process.state.endedAt < bounds.before;
		if (!isDue) {
			break;
		}

		totals.count -= 1;
		totals.outputBytes -= outputBytes;
		due.push(process);
	}

	return due;
}
