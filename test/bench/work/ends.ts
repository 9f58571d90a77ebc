import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {createSupervisor} from '../../../lib/index.js';
import {exited, spawnIntoFiles} from '../runner.js';
import {median} from '../statistics.js';

/** The last thing it does is to write down the time. */
const line = 'sleep 0.02; echo $EPOCHREALTIME';

/** From the end of a command until its host is told. */
export async function measureEnds(contender: string, dir: string, {count}: {count: number}) {
	return contender === 'spawn' ? measureSpawn(dir, count) : measureLibrary(dir, count);
}

async function measureLibrary(dir: string, count: number) {
	const supervisor = await createSupervisor({stateDir: join(dir, 'state')});
	const toldMs: number[] = [];
	for (let i = 0; i < count; i++) {
		const told = new Promise<number>(resolve => supervisor.on('ended', () => resolve(nowMs())));
		const {processId} = await supervisor.start({command: line});
		const at = await told;
		toldMs.push(at - Number((await supervisor.get(processId)).stdout) * 1000);
	}

	await supervisor.close();
	return {toldMs: median(toldMs)};
}

async function measureSpawn(dir: string, count: number) {
	const toldMs: number[] = [];
	for (let i = 0; i < count; i++) {
		const path = join(dir, String(i));
		await exited(spawnIntoFiles(path, ['-c', line]));
		const at = nowMs();
		toldMs.push(at - Number(readFileSync(`${path}.out`, 'latin1')) * 1000);
	}

	return {toldMs: median(toldMs)};
}

function nowMs(): number {
	return performance.timeOrigin + performance.now();
}
