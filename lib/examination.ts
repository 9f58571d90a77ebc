import {accessSync, constants, readFileSync, statfsSync, statSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {findPrograms} from './keeper/programs.js';
import {findConfinement} from './os/confinement.js';
import {isTreeKillUsable} from './os/tree-killer.js';
import type {Logger} from './ports.js';

/** One thing that was looked at. */
export interface Finding {
	/** What: `bash`, `ps`, `containment`, `sqlite`, `state directory`, `disk` or `clock`. */
	readonly about: string;
	/** `warning`: it works, but not all of it, or not for long. `problem`: a supervisor could not do its work. */
	readonly level: 'ok' | 'warning' | 'problem';
	/** In words. */
	readonly message: string;
}

type Result = Omit<Finding, 'about'>;

const scarceBytes = 1_073_741_824;
const scarceFiles = 10_000;

/**
 * Looks at what this machine offers to a supervisor that this program would open on a state directory. Nothing is
 * changed, and a supervisor that is at work there is not disturbed.
 */
export async function examineHost(stateDir: string): Promise<Finding[]> {
	const checks: Readonly<Record<string, () => Result | Promise<Result>>> = {
		bash: () => ok(findPrograms().bash),
		ps: examinePs,
		containment: () => examineContainment(stateDir),
		sqlite: examineSqlite,
		'state directory': () => examineStateDir(stateDir),
		disk: () => examineDisk(stateDir),
		clock: () => examineClock(stateDir),
	};
	return Promise.all(Object.entries(checks).map(async ([about, check]) => ({about, ...(await carefully(check))})));
}

async function carefully(check: () => Result | Promise<Result>): Promise<Result> {
	try {
		return await check();
	} catch (error) {
		return problem((error as Error).message);
	}
}

function examinePs(): Result {
	return isTreeKillUsable()
		? ok('found')
		: warning('none, or one that does not know --ppid: a kill asks by group and cgroup only, and still sees to all');
}

function examineContainment(stateDir: string): Result {
	// Beside the base that a supervisor on this directory would use: it may be at work.
	const confinement = findConfinement(join(stateDir, 'doctor'), true, findPrograms(), silent);
	try {
		const limits = [...confinement.limits].join(', ');
		return confinement.kind === 'cgroup'
			? ok(`a cgroup for each process; limits: ${limits || 'none, the controllers are not ours'}`)
			: warning('no cgroup may be made here: processes are held by session and cookie, and there are no limits');
	} finally {
		confinement.close();
	}
}

async function examineSqlite(): Promise<Result> {
	const {readSqliteVersion} = await import('./sqlite/database.js');
	return ok(readSqliteVersion());
}

function examineStateDir(stateDir: string): Result {
	const stat = statSync(stateDir, {throwIfNoEntry: false});
	if (stat === undefined) {
		return examineMissing(stateDir);
	}

	const mode = stat.mode & 0o777;
	if (stat.uid !== process.geteuid?.()) {
		return problem(`${stateDir} belongs to user ${stat.uid}, not to the one that asks`);
	}

	accessSync(stateDir, constants.R_OK | constants.W_OK | constants.X_OK);
	return (mode & 0o022) === 0
		? ok(stateDir)
		: problem(`${stateDir} may be written by others (mode ${mode.toString(8)})`);
}

function examineMissing(stateDir: string): Result {
	const parent = nearestDirectory(dirname(stateDir));
	try {
		accessSync(parent, constants.W_OK | constants.X_OK);
		return ok(`${stateDir} is not there yet: it is made by the first start`);
	} catch {
		// EACCES, or EROFS also for root.
		return problem(`${stateDir} cannot be made: nothing may be written in ${parent}`);
	}
}

function examineDisk(stateDir: string): Result {
	const {bavail, bsize, ffree, files} = statfsSync(nearestDirectory(stateDir));
	const bytes = bavail * bsize;
	const sentence = `${(bytes / scarceBytes).toFixed(1)} GiB free`;
	// btrfs and others do not count files: 0 of 0.
	const isScarce = bytes < scarceBytes || (files > 0 && ffree < scarceFiles);
	return isScarce ? warning(`${sentence}, room for ${ffree} files: output and new commands need more`) : ok(sentence);
}

/** Deadlines and identities rest on uptime and boot id; what people read on the wall clock. */
function examineClock(stateDir: string): Result {
	readFileSync('/proc/uptime');
	readFileSync('/proc/sys/kernel/random/boot_id');
	const newest = statSync(join(stateDir, 'owner'), {throwIfNoEntry: false})?.mtimeMs ?? 0;
	return Date.now() < newest
		? warning('the wall clock was set back: times in the list are wrong, deadlines hold')
		: ok(new Date().toISOString());
}

function nearestDirectory(path: string): string {
	return statSync(path, {throwIfNoEntry: false}) === undefined ? nearestDirectory(dirname(path)) : path;
}

function ok(message: string): Result {
	return {level: 'ok', message};
}

function warning(message: string): Result {
	return {level: 'warning', message};
}

function problem(message: string): Result {
	return {level: 'problem', message};
}

const nothing = () => undefined;
const silent: Logger = {debug: nothing, info: nothing, warn: nothing, error: nothing};
