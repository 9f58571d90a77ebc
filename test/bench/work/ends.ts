import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {nowMs} from '../moments.js';
import type {Runner} from '../runner.js';
import {median} from '../statistics.js';

/** From the end of a command until its host is told. */
export async function measureEnds(runner: Runner, dir: string, {count}: {count: number}) {
	const path = join(dir, 'ended-at');
	const toldMs: number[] = [];
	for (let i = 0; i < count; i++) {
		// The last thing it does is to write down the time.
		const {ended} = await runner.start(`sleep 0.02; echo $EPOCHREALTIME >${path}`);
		await ended();
		toldMs.push(nowMs() - Number(readFileSync(path, 'latin1')) * 1000);
	}

	return {toldMs: median(toldMs)};
}
