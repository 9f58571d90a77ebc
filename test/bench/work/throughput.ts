import type {Runner} from '../runner.js';

export interface ThroughputOptions {
	readonly count: number;
	readonly inFlight: number;
}

/** Commands run whole, so many at a time. */
export async function measureThroughput(runner: Runner, {count, inFlight}: ThroughputOptions) {
	const endedAt: number[] = [];
	let left = count;
	const lane = async () => {
		while (left-- > 0) {
			const {ended} = await runner.start('true');
			await ended();
			endedAt.push(performance.now());
		}
	};
	const cpuBefore = runner.cpuMs();
	const begin = performance.now();
	await Promise.all(Array.from({length: inFlight}, lane));
	await runner.settled();
	const tookMs = performance.now() - begin;
	return {
		perSecond: (count * 1000) / tookMs,
		cpuMs: (runner.cpuMs() - cpuBefore) / count,
		lastToFirst: lastToFirst(endedAt),
	};
}

/** How fast the last thousand (or quarter) ended, as a multiple of the first. */
function lastToFirst(endedAt: readonly number[]): number {
	const part = Math.min(1000, endedAt.length >> 2);
	const span = (from: number, to: number) => (endedAt[to] ?? Number.NaN) - (endedAt[from] ?? Number.NaN);
	return span(0, part) / span(endedAt.length - 1 - part, endedAt.length - 1);
}
