import {eventually} from '../../helpers/eventually.js';
import type {Running} from '../runner.js';

/** No end is waited for here: what matters is when nothing runs any more. */
export const toldNothing: Running = {ended: async () => undefined};

/** Of a daemon that is not our child nobody tells. */
export const cpuUnknown = () => Number.NaN;

const longestMs = 600_000;

/** Asks a daemon until nothing runs any more. */
export function untilNothingRuns<T>(ask: () => Promise<T>, isDone: (answer: T) => boolean): Promise<unknown> {
	return eventually(ask, isDone, longestMs);
}
