/** All processes of the machine, ours or not, as `ps` would show them; no `ps` is needed for it. */
import {readdirSync, readFileSync, statSync} from 'node:fs';
import {totalmem, uptime} from 'node:os';
import {cut} from './shown-text.js';

const ticksPerSecond = 100;
const maxShownCommand = 4096;
/** Others have their turn after each so many. */
const processesAtOnce = 100;

/** In the spelling of the HTTP API, lowest pid first. What has ended meanwhile is left out. */
export async function listMachineProcesses(): Promise<object[]> {
	const users = readUsers();
	const found: object[] = [];
	const pids = readdirSync('/proc').map(Number).filter(Boolean);
	for (const [index, pid] of pids.sort((a, b) => a - b).entries()) {
		if (index % processesAtOnce === processesAtOnce - 1) {
			await new Promise(resolve => setImmediate(resolve));
		}

		const process = readProcess(pid, users);
		if (process !== null) {
			found.push(process);
		}
	}

	return found;
}

function readProcess(pid: number, users: ReadonlyMap<number, string>): object | null {
	try {
		const {uid} = statSync(`/proc/${pid}`);
		const {name, state, parentPid, cpuSeconds, startSeconds} = parseStat(readProc(pid, 'stat'));
		const command = readProc(pid, 'cmdline').replaceAll('\0', ' ').trim();
		const memoryBytes = residentBytes(readProc(pid, 'status'));
		const seconds = Math.max(uptime() - startSeconds, 0.01);
		return {
			pid,
			parent_pid: parentPid,
			name,
			// Threads of the kernel have none: ps(1) shows their name in brackets.
			command: command === '' ? `[${name}]` : cut(command, maxShownCommand),
			user: users.get(uid) ?? String(uid),
			state,
			cpu_percent: round((cpuSeconds / seconds) * 100),
			memory_percent: round((memoryBytes / totalmem()) * 100),
			memory_bytes: memoryBytes,
			started_at: new Date(Date.now() - seconds * 1000).toISOString(),
		};
	} catch {
		// ENOENT, ESRCH: it has ended.
		return null;
	}
}

function readProc(pid: number, file: string): string {
	return readFileSync(`/proc/${pid}/${file}`, 'utf8');
}

/** proc_pid_stat(5): the name may hold spaces and parentheses, so cut at the last one. */
function parseStat(line: string) {
	const end = line.lastIndexOf(')');
	const fields = line.slice(end + 2).split(' ');
	return {
		name: line.slice(line.indexOf('(') + 1, end),
		state: fields[0] ?? '',
		parentPid: Number(fields[1]),
		cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
		startSeconds: Number(fields[19]) / ticksPerSecond,
	};
}

/** proc_pid_status(5); threads of the kernel have none. */
function residentBytes(status: string): number {
	return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

/** passwd(5). Users that are kept elsewhere are shown by their number. */
function readUsers(): Map<number, string> {
	try {
		const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
		return new Map(lines.map(line => line.split(':')).map(([name = '', , uid]) => [Number(uid), name]));
	} catch {
		// There need not be one.
		return new Map();
	}
}

function round(value: number): number {
	return Math.round(value * 10) / 10;
}
