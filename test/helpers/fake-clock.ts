import type {Clock, Timer} from '../../lib/index.js';

// setTimeout fires at once where the delay does not fit 31 bits (Node.js, "Timers").
const longestDelayMs = 2 ** 31 - 1;

interface Waiting {
	readonly atUptimeMs: number;
	readonly callback: () => void;
}

/** Time that stands still until a test moves it. */
export class FakeClock implements Clock {
	readonly #waiting = new Map<Timer, Waiting>();
	#nowMs = Date.UTC(2026, 0, 1);
	#uptimeMs = 1_000_000;

	now(): number {
		return this.#nowMs;
	}

	uptimeMs(): number {
		return this.#uptimeMs;
	}

	monotonicMs(): number {
		return this.#uptimeMs;
	}

	setTimer(delayMs: number, callback: () => void): Timer {
		const timer = {cancel: () => void this.#waiting.delete(timer)};
		this.#waiting.set(timer, {
			atUptimeMs: this.#uptimeMs + (delayMs > longestDelayMs ? 1 : delayMs),
			callback,
		});
		return timer;
	}

	/** Timers that have not fired. */
	get timers(): number {
		return this.#waiting.size;
	}

	/** Lets time pass, timer by timer; what each sets in motion goes on before the next. */
	async advance(ms: number): Promise<void> {
		const end = this.#uptimeMs + ms;
		await settled();
		for (let next = this.#nextUntil(end); next !== null; next = this.#nextUntil(end)) {
			this.#moveTo(next.waiting.atUptimeMs);
			next.timer.cancel();
			next.waiting.callback();
			await settled();
		}

		this.#moveTo(end);
	}

	/** The machine sleeps: time passes, and timers stand still. */
	sleep(ms: number): void {
		this.#moveTo(this.#uptimeMs + ms);
		for (const [timer, {atUptimeMs, callback}] of this.#waiting) {
			this.#waiting.set(timer, {atUptimeMs: atUptimeMs + ms, callback});
		}
	}

	/** Somebody sets the wall clock; the machine's own goes on. */
	setWallClock(nowMs: number): void {
		this.#nowMs = nowMs;
	}

	#moveTo(uptimeMs: number): void {
		this.#nowMs += uptimeMs - this.#uptimeMs;
		this.#uptimeMs = uptimeMs;
	}

	#nextUntil(end: number): {timer: Timer; waiting: Waiting} | null {
		const due = [...this.#waiting]
			.map(([timer, waiting]) => ({timer, waiting}))
			.filter(({waiting}) => waiting.atUptimeMs <= end)
			.sort((a, b) => a.waiting.atUptimeMs - b.waiting.atUptimeMs);
		return due[0] ?? null;
	}
}

/** Everything that needs no time has happened. */
export async function settled(): Promise<void> {
	await new Promise(resolve => setImmediate(resolve));
}
