import {type ChildProcess, spawn} from 'node:child_process';
import {closeSync, openSync} from 'node:fs';
import {join} from 'node:path';
import {createSupervisor} from '../../lib/index.js';
import {eventually} from '../helpers/eventually.js';

/** One way to run commands in the background with their output in files. */
export interface Runner {
	/** Settles when the command runs. Whatever it does before it gives its promise holds the event loop. */
	start(line: string): Promise<Running>;
	/** Settles when nothing runs any more. */
	settled(): Promise<unknown>;
	/** Processor time of the program that runs commands, in milliseconds. */
	cpuMs(): number;
	close(): Promise<unknown>;
}

export interface Running {
	/** Settles when whoever started it may know that it has ended; at once where nobody is told. Asked for at once, or never. */
	ended(): Promise<unknown>;
}

export function cpuOfThisProgramMs(): number {
	const {user, system} = process.cpuUsage();
	return (user + system) / 1000;
}

const nothing = async () => undefined;

/** The library in this program. */
export async function openLibrary(dir: string, containment: 'auto' | 'session' = 'auto'): Promise<Runner> {
	const supervisor = await createSupervisor({stateDir: join(dir, 'state'), containment});
	return {
		start(command) {
			const started = supervisor.start({command, timeoutMs: 0});
			return started.then(({processId}) => ({ended: () => supervisor.wait(processId)}));
		},
		settled: () => eventually(() => supervisor.state().running === 0),
		cpuMs: cpuOfThisProgramMs,
		close: () => supervisor.close(),
	};
}

/** The yardstick: it keeps nothing but the output. */
export function openRawSpawn(dir: string): Runner {
	let count = 0;
	return {
		start(line) {
			const end = exited(spawnIntoFiles(join(dir, String(count++)), 'bash', ['-c', line]));
			return Promise.resolve({ended: () => end});
		},
		settled: nothing,
		cpuMs: cpuOfThisProgramMs,
		close: nothing,
	};
}

/** Runs a program in a process group of its own, with output to `path` and two endings. */
export function spawnIntoFiles(
	path: string,
	file: string,
	args: readonly string[],
	options: {readonly env?: NodeJS.ProcessEnv; readonly cwd?: string} = {},
): ChildProcess {
	const [out, err] = [openSync(`${path}.out`, 'a'), openSync(`${path}.err`, 'a')];
	const child = spawn(file, args, {detached: true, stdio: ['ignore', out, err], ...options});
	closeSync(out);
	closeSync(err);
	return child;
}

export function exited(child: ChildProcess): Promise<void> {
	return new Promise(resolve => child.once('exit', () => resolve()));
}

export async function openExeca(dir: string): Promise<Runner> {
	const {execa} = await import('execa');
	let count = 0;
	return {
		start(line) {
			const path = join(dir, String(count++));
			const child = execa('bash', ['-c', line], {
				detached: true,
				cleanup: false,
				reject: false,
				stdin: 'ignore',
				stdout: {file: `${path}.out`},
				stderr: {file: `${path}.err`},
			});
			// Not the promise of execa itself: it would be waited for.
			return Promise.resolve({ended: () => child.then(() => undefined)});
		},
		settled: nothing,
		cpuMs: cpuOfThisProgramMs,
		close: nothing,
	};
}
