import {readdirSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {readProc} from '../helpers/processes.js';

/** What may grow, at one moment. */
export interface Sample {
	readonly commands: number;
	readonly seconds: number;
	readonly daemonMb: number;
	readonly descriptors: number;
	readonly threads: number;
	readonly keeperMb: number;
	readonly databaseMb: number;
	/** What the state directory takes of the disk, the database with it. */
	readonly diskMb: number;
	readonly runDirectories: number;
}

export function takeSample(commands: number, seconds: number, stateDir: string, daemonPid: number): Sample {
	const keeperPid = Number(readFileSync(join(stateDir, 'keeper'), 'utf8').split(' ')[0]);
	return {
		commands,
		seconds: Math.round(seconds),
		daemonMb: residentMb(daemonPid),
		descriptors: readdirSync(`/proc/${daemonPid}/fd`).length,
		threads: Number(/^Threads:\t(\d+)/m.exec(readProc(daemonPid, 'status'))?.[1]),
		keeperMb: residentMb(keeperPid),
		databaseMb: ['nohupd.db', 'nohupd.db-wal'].reduce((sum, name) => sum + sizeMb(join(stateDir, name)), 0),
		diskMb: usedMb(stateDir),
		runDirectories: readdirSync(join(stateDir, 'runs')).length,
	};
}

/** A Markdown table, one line a sample. */
export function toTable(samples: readonly Sample[]): string {
	const header =
		'commands | seconds | daemon MB | descriptors | threads | keeper MB | database MB | disk MB | run directories';
	const rows = samples.map(sample =>
		Object.values(sample)
			.map(value => (Number.isInteger(value) ? String(value) : value.toFixed(1)))
			.join(' | '),
	);
	const rule = header.replaceAll(/[^|]+/g, ' ---: ');
	return [header, rule, ...rows].map(row => `| ${row.trim()} |\n`).join('');
}

function residentMb(pid: number): number {
	return Number(/^VmRSS:\s+(\d+)/m.exec(readProc(pid, 'status'))?.[1]) / 1024;
}

function sizeMb(path: string): number {
	return (statSync(path, {throwIfNoEntry: false})?.size ?? 0) / 1024 / 1024;
}

function usedMb(directory: string): number {
	return namesIn(directory).reduce((sum, name) => {
		const path = join(directory, name);
		const stat = statSync(path, {throwIfNoEntry: false});
		return sum + (stat?.blocks ?? 0) / 2048 + (stat?.isDirectory() ? usedMb(path) : 0);
	}, 0);
}

function namesIn(directory: string): string[] {
	try {
		return readdirSync(directory);
	} catch {
		// It was forgotten in the meantime.
		return [];
	}
}
