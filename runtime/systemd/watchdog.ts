import type {Logger} from '../../lib/index.js';

/** How often systemd wants to hear of us, in milliseconds; `null` where it does not (sd_watchdog_enabled(3)). */
export function readWatchdogMs(environment: Readonly<Record<string, string | undefined>>, pid: number): number | null {
	const microseconds = Number(environment['WATCHDOG_USEC']);
	const isOurs = (environment['WATCHDOG_PID'] ?? String(pid)) === String(pid);
	return isOurs && microseconds > 0 ? microseconds / 1000 : null;
}

/**
 * Calls `ping` three times in each interval, as long as `look` settles well. An event loop that is stuck does not come
 * here at all, and one look that never settles keeps the next from being taken: then systemd hears nothing.
 */
export class Watchdog {
	#timer: NodeJS.Timeout | null = null;
	#isLooking = false;

	constructor(
		private readonly look: () => Promise<unknown>,
		private readonly ping: () => Promise<void>,
		private readonly logger: Logger,
	) {}

	open(intervalMs: number): void {
		this.#timer = setInterval(() => void this.#look(), intervalMs / 3).unref();
	}

	close(): void {
		clearInterval(this.#timer ?? undefined);
	}

	async #look(): Promise<void> {
		if (this.#isLooking) {
			return;
		}

		this.#isLooking = true;
		try {
			await this.look();
			await this.ping();
		} catch (error) {
			this.logger.error({error}, 'The store does not answer; systemd is not told that all is well');
		} finally {
			this.#isLooking = false;
		}
	}
}
