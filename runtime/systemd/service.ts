import type {Logger, Supervisor} from '../../lib/index.js';
import type {Health} from '../health.js';
import {findKillModeProblem} from './kill-mode.js';
import type {Notify} from './notifier.js';
import {readWatchdogMs, Watchdog} from './watchdog.js';

/** What systemd is told of. */
export interface Watched {
	readonly supervisor: Pick<Supervisor, 'state' | 'list'>;
	readonly health: Pick<Health, 'warn'>;
}

/** The daemon as a service of systemd; where it is none, nothing of this does anything. */
export class SystemdService {
	readonly #watchdog: Watchdog;

	constructor(
		private readonly watched: Watched,
		private readonly notify: Notify,
		private readonly logger: Logger,
	) {
		this.#watchdog = new Watchdog(
			() => watched.supervisor.list({limit: 1, tailBytes: 0}),
			() => notify('WATCHDOG=1', this.#status()),
			logger,
		);
	}

	/** Requests are answered. */
	async ready(environment: NodeJS.ProcessEnv): Promise<void> {
		const watchdogMs = readWatchdogMs(environment, process.pid);
		if (watchdogMs !== null) {
			this.#watchdog.open(watchdogMs);
		}

		await this.notify('READY=1', this.#status());
		const problem = await findKillModeProblem(environment);
		if (problem !== null) {
			this.logger.warn({}, problem);
			this.watched.health.warn(problem);
		}
	}

	/** Settings are read again by `work`; it has to look after its own failures. */
	async reloading(work: () => Promise<void>): Promise<void> {
		// sd_notify(3) wants the time, so that an old message is not taken for this one.
		await this.notify('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
		await work();
		await this.notify('READY=1', this.#status());
	}

	async stopping(): Promise<void> {
		this.#watchdog.close();
		await this.notify('STOPPING=1', 'STATUS=Shutting down; commands run on');
	}

	#status(): string {
		const {running, queued} = this.watched.supervisor.state();
		return `STATUS=${running} running, ${queued} queued`;
	}
}
