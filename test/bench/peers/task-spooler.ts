import {execFile} from 'node:child_process';
import {join} from 'node:path';
import {promisify} from 'node:util';
import type {Runner} from '../runner.js';
import {cpuUnknown, toldNothing, untilNothingRuns} from './daemon.js';
import {unpackDebian} from './install.js';

const run = promisify(execFile);

export function installTaskSpooler(dir: string) {
	return {version: unpackDebian('task-spooler', dir)};
}

export function openTaskSpooler(path: string, dir: string): Runner {
	const env = {...process.env, TS_SOCKET: join(dir, 'socket'), TS_SLOTS: '8', TS_MAXFINISHED: '100000', TMPDIR: dir};
	const ask = (...args: string[]) => run(join(path, 'usr/bin/tsp'), args, {env, maxBuffer: 1e9});
	return {
		async start(line) {
			await ask('bash', '-c', line);
			return toldNothing;
		},
		settled: () =>
			untilNothingRuns(
				async () => (await ask('-l')).stdout,
				list => !/ (running|queued|allocating) /.test(list),
			),
		cpuMs: cpuUnknown,
		close: () => ask('-K'),
	};
}
