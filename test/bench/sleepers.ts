import {randomUUID} from 'node:crypto';
import {eventually} from '../helpers/eventually.js';
import {findProcesses, killQuietly} from '../helpers/processes.js';

const inFlight = 8;

/** Commands that run for as long as something is measured beside them. */
export interface Sleepers {
	/** Settles when none of them is alive. One signal each is enough: they have no children. */
	end(): Promise<unknown>;
}

export async function startSleepers(start: (line: string) => Promise<unknown>, count: number): Promise<Sleepers> {
	const marker = `bench-${randomUUID()}`;
	let left = count;
	const lane = async () => {
		while (left-- > 0) {
			await start(`exec -a ${marker} sleep 10000`);
		}
	};
	await Promise.all(Array.from({length: inFlight}, lane));
	// The shell that is to become one has the name further back in its command line.
	const alive = () => findProcesses(marker, 'cmdline', content => content.startsWith(marker));
	await eventually(alive, ({length}) => length === count, 60_000);
	const end = () =>
		eventually(
			() => {
				const left = alive();
				left.forEach(killQuietly);
				return left.length;
			},
			number => number === 0,
			60_000,
		);
	return {end};
}
