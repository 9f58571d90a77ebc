import type {Runner} from '../runner.js';
import {median} from '../statistics.js';

/** At most; of few a quarter: where one start takes a second there is nothing to compile. */
const warmUp = 10;

export interface StartOptions {
	readonly count: number;
	readonly heapMb: number;
}

/** One command after the other, in a program with a heap of its own. */
export async function measureStart(runner: Runner, {count, heapMb}: StartOptions) {
	const ballast = fillHeap(heapMb);
	const blockedMs: number[] = [];
	const runningMs: number[] = [];
	// The first ones compile what the others run.
	for (let i = 0; i < Math.min(count >> 2, warmUp); i++) {
		await (await runner.start('true')).ended();
	}

	for (let i = 0; i < count; i++) {
		const begin = performance.now();
		const started = runner.start('true');
		blockedMs.push(performance.now() - begin);
		const {ended} = await started;
		runningMs.push(performance.now() - begin);
		await ended();
	}

	return {
		blockedMs: median(blockedMs),
		runningMs: median(runningMs),
		heapMb: process.memoryUsage().heapUsed / 2 ** 20,
		ballast: ballast.length,
	};
}

interface Ballast {
	readonly index: number;
	readonly name: string;
}

/** About a megabyte each of small objects, as programs have them: fork(2) copies the page tables of all of them. */
function fillHeap(megabytes: number): Ballast[][] {
	return Array.from({length: megabytes}, () =>
		Array.from({length: 15_000}, (_, index) => ({index, name: `n${index}`})),
	);
}
