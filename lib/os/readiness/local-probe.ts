import {join} from 'node:path';
import type {Clock, ReadinessProbe, Timer, Watch} from '../../ports.js';
import type {Readiness, RunningProcess} from '../../process.js';
import {inject, injectable, Tokens} from '../../tokens.js';
import {answersGet} from './http-probe.js';
import {watchFiles} from './log-probe.js';
import {type Answer, askPort} from './port-probe.js';

const shortestPauseMs = 5;
/** A port is to be seen within 50 ms of its opening. */
const longestPauseMs = {port: 20, http: 250} as const;
/** Whoever else answers there is left in peace. */
const strangerPauseMs = 500;

/** Asks on this machine: by connecting, by a GET, or by reading what the command has written. */
@injectable()
export class LocalProbe implements ReadinessProbe {
	constructor(
		@inject(Tokens.stateDir) private readonly stateDir: string,
		@inject(Tokens.clock) private readonly clock: Clock,
	) {}

	watch(process: RunningProcess, readiness: Readiness, onReady: () => void): Watch {
		if ('log' in readiness) {
			const directory = join(this.stateDir, 'runs', process.processId);
			return watchFiles([join(directory, 'stdout'), join(directory, 'stderr')], readiness.log, onReady);
		}

		return 'port' in readiness
			? this.#ask(longestPauseMs.port, () => askPort(readiness.port, process, this.stateDir), onReady)
			: this.#ask(longestPauseMs.http, () => answersGet(readiness.http), onReady);
	}

	/** Again and again, one at a time, with growing pauses. What is asked never rejects. */
	#ask(longestMs: number, ask: () => Promise<Answer>, onReady: () => void): Watch {
		let isStopped = false;
		let timer: Timer | null = null;
		const next = async (pauseMs: number): Promise<void> => {
			const answer = await ask();
			if (isStopped) {
				return;
			}

			if (answer === 'yes') {
				onReady();
			} else {
				const delayMs = answer === 'stranger' ? strangerPauseMs : pauseMs;
				timer = this.clock.setTimer(delayMs, () => void next(Math.min(pauseMs * 1.5, longestMs)));
			}
		};
		void next(shortestPauseMs);
		return {
			stop: () => {
				isStopped = true;
				timer?.cancel();
			},
		};
	}
}
