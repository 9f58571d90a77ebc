import {execFileSync} from 'node:child_process';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {firstLineOf} from './install.js';

const source = fileURLToPath(new URL('../../../../test/bench/peers/spawn-loop.c', import.meta.url));

export function installSpawnLoop(dir: string) {
	firstLineOf('cc', ['-O2', '-Wall', '-o', join(dir, 'spawn-loop'), source]);
	return {version: firstLineOf('cc', ['--version'])};
}

/** What the kernel allows: nothing is stored, nobody is told, and the output is nowhere. */
export function measureSpawnLoop(path: string, {count, inFlight}: {count: number; inFlight: number}) {
	const printed = execFileSync(join(path, 'spawn-loop'), [String(count), String(inFlight)], {encoding: 'utf8'});
	return JSON.parse(printed) as Record<string, number>;
}
