import {execFile} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import type {Runner} from '../runner.js';
import {cpuUnknown, toldNothing, untilNothingRuns} from './daemon.js';
import {firstLineOf} from './install.js';

const run = promisify(execFile);
const answerMs = 60_000;

export function installPm2(dir: string) {
	firstLineOf('npm', ['install', '--no-audit', '--no-fund', '--prefix', dir, 'pm2']);
	const packageFile = readFileSync(join(dir, 'node_modules/pm2/package.json'), 'utf8');
	return {version: (JSON.parse(packageFile) as {version: string}).version};
}

/** Through its own JavaScript interface, as a program would use it. */
export async function openPm2(path: string, dir: string): Promise<Runner> {
	process.env['PM2_HOME'] = join(dir, 'pm2');
	const {default: pm2} = await import(join(path, 'node_modules/pm2/index.js'));
	// Its client waits without end for a daemon that dies, also for one that does so before it has begun.
	const call = (name: string, ...args: unknown[]) =>
		new Promise<unknown>((resolve, reject) => {
			const timer = setTimeout(() => reject(new Error(`pm2 did not answer to ${name}`)), answerMs);
			pm2[name](...args, (error: Error | null, result: unknown) => {
				clearTimeout(timer);
				return error ? reject(error) : resolve(result);
			});
		});
	await call('connect');
	let count = 0;
	return {
		async start(line) {
			const args = ['-c', line];
			await call('start', {name: `n${count++}`, script: 'bash', args, interpreter: 'none', autorestart: false});
			return toldNothing;
		},
		settled: () =>
			untilNothingRuns(
				async () => (await call('list')) as {pm2_env: {status: string}}[],
				list => list.every(({pm2_env}) => pm2_env.status === 'stopped'),
			),
		cpuMs: cpuUnknown,
		async close() {
			// Its own call for that leaves a client that looks for the daemon for ever, and holds its program.
			await run(process.execPath, [join(path, 'node_modules/pm2/bin/pm2'), 'kill'], {timeout: answerMs});
			pm2.disconnect();
		},
	};
}
