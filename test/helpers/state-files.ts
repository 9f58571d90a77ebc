/** Looks into a state directory, and changes it, behind the supervisor's back. */
import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import Database from 'better-sqlite3';
import {eventually} from './eventually.js';
import {isAlive} from './processes.js';

/** A path beside the state directory, for what the commands of a test write; removed with it. */
export function besides(stateDir: string, name: string): string {
	return join(dirname(stateDir), name);
}

/** Lines of a file that a command may have written; none where it did not. */
export function readLines(path: string): string[] {
	try {
		return readFileSync(path, 'utf8').split('\n').filter(Boolean);
	} catch {
		// Nobody wrote it.
		return [];
	}
}

/** One statement on the database of a state directory that no supervisor holds. */
export function editDatabase(stateDir: string, sql: string, ...values: unknown[]): void {
	const database = new Database(join(stateDir, 'nohupd.db'));
	try {
		database.prepare(sql).run(...values);
	} finally {
		database.close();
	}
}

/**
 * Whoever reads the specification from now on finds that the process's time is over: the dead man's switch, but not
 * the agent that lives. So no test has to be faster than a deadline.
 */
export function makeOverdue(stateDir: string, processId: string): void {
	const path = join(stateDir, 'runs', processId, 'spec');
	writeFileSync(path, readFileSync(path, 'utf8').replace(/^# nohupd 2 \d+/, '# nohupd 2 1'));
}

/** Whoever reads the record from now on finds that the grace period of a kill is over. */
export function endGrace(stateDir: string, processId: string): void {
	const path = join(stateDir, 'records', processId);
	writeFileSync(path, readFileSync(path, 'latin1').replace(/^(R +\d+ )[ \d]{10}/m, `$1${'0'.padStart(10)}`), 'latin1');
}

/** Pid of the keeper that is in charge, once it is. */
export async function keeperPid(stateDir: string, previous = 0): Promise<number> {
	return eventually(
		() => Number(readLines(join(stateDir, 'keeper'))[0]?.split(' ')[0] ?? 0),
		pid => pid > 0 && pid !== previous && isAlive(pid),
	);
}

/** Names of all that is kept for processes. */
export function listKept(stateDir: string): string[] {
	return ['runs', 'records'].flatMap(directory => readdirSync(join(stateDir, directory)));
}

/** The raw record of a process; empty where it is gone. */
export function readRecord(stateDir: string, processId: string): string {
	return readLines(join(stateDir, 'records', processId)).join('\n');
}
