import {join} from 'node:path';
import {findProcesses, readProc} from '../../helpers/processes.js';
import type {Runner} from '../runner.js';
import {startSleepers} from '../sleepers.js';
import {measureEnds} from './ends.js';
import {kilobytes} from './memory.js';
import {measureStart} from './start.js';

export interface LoadedOptions {
	/** Commands that run all the time. */
	readonly running: number;
	/** Commands that are measured beside them. */
	readonly count: number;
}

/** Starts and ends beside commands that run, and what these cost. */
export async function measureLoaded(runner: Runner, dir: string, {running, count}: LoadedOptions) {
	const sleepers = await startSleepers(line => runner.start(line), running);
	const pssKb = helpersPssKb(join(dir, 'state')) / running;
	const {runningMs} = await measureStart(runner, {count, heapMb: 0});
	const {toldMs} = await measureEnds(runner, dir, {count});
	await sleepers.end();
	return {runningMs, toldMs, ...(pssKb > 0 && {pssKb})};
}

/** What keeper and shims take, the commands themselves not counted. */
function helpersPssKb(stateDir: string): number {
	const helpers = findProcesses(stateDir, 'cmdline').filter(pid => readProc(pid, 'cmdline').includes('keeper.sh'));
	return helpers.reduce((sum, pid) => sum + kilobytes(pid, 'smaps_rollup', 'Pss'), 0);
}
