import {uptime} from 'node:os';
import type {Clock, Timer} from '../ports.js';
import {injectable} from '../tokens.js';

/** The machine's clocks. */
@injectable()
export class SystemClock implements Clock {
	now(): number {
		return Date.now();
	}

	/** /proc/uptime, as the keeper and its shims read it (10 ms). */
	uptimeMs(): number {
		return Math.round(uptime() * 1000);
	}

	monotonicMs(): number {
		return performance.now();
	}

	setTimer(delayMs: number, callback: () => void): Timer {
		const timeout = setTimeout(callback, delayMs);
		return {cancel: () => clearTimeout(timeout)};
	}
}
