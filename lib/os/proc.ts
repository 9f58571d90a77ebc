/**
 * Reads procfs (proc(5)). Synchronous on purpose: 1,000 processes take 7 ms this way and
 * 100 ms through promises, and what was read together belongs together.
 */
import {closeSync, openSync, readdirSync, readFileSync, readSync} from 'node:fs';

export interface Stat {
	readonly pid: number;
	/** One letter; `Z` and `X` are dead. */
	readonly state: string;
	readonly parentPid: number;
	readonly groupId: number;
	readonly sessionId: number;
	/** Clock ticks (1/100 s) since boot. */
	readonly startTicks: number;
	/** Processor time used, that of children it has waited for included. */
	readonly cpuMs: number;
	/** Resident set. */
	readonly memoryBytes: number;
}

const tickMs = 10;
const pageBytes = 4096;

// Longer than any stat line: its name is at most 64 bytes, its numbers are 64 bit.
const buffer = Buffer.allocUnsafe(4096);
let environment = Buffer.allocUnsafe(64 * 1024);

/** `null` where there is no such process, or none that we may see. */
export function readStat(pid: number): Stat | null {
	const length = readInto(`/proc/${pid}/stat`, buffer);
	if (length <= 0) {
		return null;
	}

	const line = buffer.toString('latin1', 0, length);
	// proc_pid_stat(5): the name may hold spaces and parentheses, so cut behind the last one.
	const fields = line.slice(line.lastIndexOf(')') + 2).split(' ', 22);
	return {
		pid,
		state: fields[0] ?? 'X',
		parentPid: Number(fields[1]),
		groupId: Number(fields[2]),
		sessionId: Number(fields[3]),
		startTicks: Number(fields[19]),
		// utime, stime, cutime, cstime
		cpuMs: fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * tickMs,
		memoryBytes: Number(fields[21]) * pageBytes,
	};
}

/** Whether it still runs: a zombie only waits for its parent to ask for the exit code. */
export function isRunning(stat: Stat | null): stat is Stat {
	return stat !== null && stat.state !== 'Z' && stat.state !== 'X';
}

/** Whether a number still is that of the process that began then, zombie or not: later it may be a stranger's. */
export function isSame({pid, startTicks}: Pick<Stat, 'pid' | 'startTicks'>): boolean {
	return readStat(pid)?.startTicks === startTicks;
}

/** Whether the process that began then still runs. */
export function isSameRunning({pid, startTicks}: Pick<Stat, 'pid' | 'startTicks'>): boolean {
	const stat = readStat(pid);
	return isRunning(stat) && stat.startTicks === startTicks;
}

/** Newest first, as far as numbers tell: what forks and leaves all the time is gone when its turn comes last. */
export function listPids(): number[] {
	return readdirSync('/proc')
		.map(Number)
		.filter(pid => pid > 0)
		.sort((a, b) => b - a);
}

/** The value a variable had in the environment that a process began with; `null` where it had none. */
export function readVariable(pid: number, name: string): string | null {
	const length = readEnvironment(pid);
	const content = environment.subarray(0, length);
	const prefix = `${name}=`;
	for (let at = content.indexOf(prefix); at !== -1; at = content.indexOf(prefix, at + 1)) {
		if (at === 0 || content[at - 1] === 0) {
			const end = content.indexOf(0, at);
			return content.toString('latin1', at + prefix.length, end === -1 ? content.length : end);
		}
	}

	return null;
}

/** What a process was started with; nothing of one that has ended, or is none of a program's. */
export function readCommandLine(pid: number): string[] {
	try {
		return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
	} catch {
		// ENOENT: it has ended. ESRCH: while we read.
		return [];
	}
}

function readEnvironment(pid: number): number {
	for (;;) {
		const length = readInto(`/proc/${pid}/environ`, environment);
		if (length < environment.length) {
			return Math.max(length, 0);
		}

		environment = Buffer.allocUnsafe(environment.length * 2);
	}
}

/** Bytes read, or -1: it ended, or belongs to someone else. */
function readInto(path: string, target: Buffer): number {
	let descriptor: number;
	try {
		descriptor = openSync(path, 'r');
	} catch {
		return -1;
	}

	try {
		let length = 0;
		for (;;) {
			// procfs gives at most a page for each read.
			const count = readSync(descriptor, target, length, target.length - length, null);
			length += count;
			if (count === 0 || length === target.length) {
				return length;
			}
		}
	} catch {
		return -1;
	} finally {
		closeSync(descriptor);
	}
}

/** The first part of the boot id: with a pid and its start ticks, enough to tell boots apart. */
export function readBootId(): string {
	return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8);
}

/** Sends a signal. False where there is nobody, or nobody whom we may signal. */
export function sendSignal(pidOrGroup: number, signal: NodeJS.Signals | 0): boolean {
	try {
		return process.kill(pidOrGroup, signal);
	} catch {
		// ESRCH: it ended in the meantime. EPERM: it changed its user, which no signal of ours can undo.
		return false;
	}
}
