import {type ChildProcess, spawn} from 'node:child_process';
import {randomUUID} from 'node:crypto';
import {once} from 'node:events';
import type {ExecutionContext} from 'ava';
import {readBootId, readStat} from '../../lib/os/proc.js';
import type {RunningProcess} from '../../lib/process.js';
import {aRunningProcess} from './a-process.js';
import {eventually} from './eventually.js';
import {findProcesses, isAlive, killQuietly} from './processes.js';

/** A real command that runs, as a shim would have started it, without a shim. */
export interface Tree {
	readonly process: RunningProcess;
	readonly pid: number;
	readonly child: ChildProcess;
	/** What it has written to standard output. */
	output(): string;
	/** Pids of those who carry its cookie. */
	carriers(): number[];
}

/**
 * Runs a line in a process group of its own, with a cookie, and waits until it has written "ready".
 * At the end of the test it is ended, and whoever carries its cookie.
 */
export async function startTree(t: ExecutionContext, line: string): Promise<Tree> {
	const processId = `proc_${randomUUID().replaceAll('-', '')}`;
	const cookie = `NOHUPD_PROCESS_ID=${processId}`;
	const child = spawn('bash', ['-c', line], {
		detached: true,
		env: {...process.env, NOHUPD_PROCESS_ID: processId},
		stdio: ['ignore', 'pipe', 'ignore'],
	});
	const pid = child.pid ?? 0;
	t.teardown(async () => {
		await eventually(() => {
			const left = [...findProcesses(cookie), ...[pid].filter(isAlive)];
			left.forEach(killQuietly);
			return left.length === 0;
		});
	});
	let output = '';
	child.stdout.setEncoding('utf8').on('data', chunk => {
		output += chunk;
	});
	await eventually(() => output.includes('ready\n'));
	const startTicks = readStat(pid)?.startTicks ?? 0;
	return {
		process: aRunningProcess({
			processId,
			start: {
				identity: {bootId: readBootId(), pid, startTicks},
				shimPid: process.pid,
				sessionId: pid,
				startedAt: Date.now(),
			},
		}),
		pid,
		child,
		output: () => output,
		carriers: () => findProcesses(cookie),
	};
}

/** Settles when the command itself has been waited for. */
export async function exited({child}: Tree): Promise<void> {
	if (child.exitCode === null && child.signalCode === null) {
		await once(child, 'exit');
	}
}
