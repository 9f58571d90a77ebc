import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, readdirSync, rmdirSync, writeFileSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import type {Confinement, Logger, Programs} from '../ports.js';
import type {Figures, LimitName, Limits, ProcessId, ProcessRecord, Usage} from '../process.js';
import {
	type Controller,
	enableControllers,
	enabledControllers,
	findOwnCgroup,
	isPopulated,
	listMembers,
	makeCgroup,
	readNumber,
	removeCgroup,
} from './cgroup.js';
import {ProcessTree} from './process-tree.js';

/** systemd.resource-control(5), DelegateSubgroup=: the supervisor's own place below a delegated cgroup. */
const supervisorSubgroup = 'supervisor';
const cpuPeriodUs = 100_000;

const limitFiles: Readonly<
	Record<LimitName, {controller: Controller; file: string; toText: (value: number) => string}>
> = {
	memoryBytes: {controller: 'memory', file: 'memory.max', toText: String},
	pids: {controller: 'pids', file: 'pids.max', toText: String},
	cpuPercent: {
		controller: 'cpu',
		file: 'cpu.max',
		toText: percent => `${Math.round((percent * cpuPeriodUs) / 100)} ${cpuPeriodUs}`,
	},
};

/** Each process in a cgroup (v2) of its own, below one of the state directory. */
export class CgroupConfinement implements Confinement {
	readonly kind = 'cgroup';
	readonly limits: ReadonlySet<LimitName>;

	constructor(
		private readonly base: string,
		private readonly logger: Logger,
	) {
		enableControllers(dirname(base));
		enableControllers(base);
		const controllers = enabledControllers(base);
		const names = Object.keys(limitFiles) as LimitName[];
		this.limits = new Set(names.filter(name => controllers.has(limitFiles[name].controller)));
	}

	prepare(processId: ProcessId, limits: Limits | null): string | null {
		const cgroup = join(this.base, processId);
		try {
			makeCgroup(cgroup);
			for (const name of this.limits) {
				const value = limits?.[name];
				if (value !== undefined) {
					const {file, toText} = limitFiles[name];
					writeFileSync(join(cgroup, file), toText(value));
				}
			}

			if (this.limits.has('memoryBytes') && limits?.memoryBytes !== undefined) {
				keepFromSwapping(cgroup);
			}

			return cgroup;
		} catch (error) {
			// The hierarchy's own limits (cgroup.max.descendants) are reached, or it was unmounted.
			this.logger.warn({error, processId}, 'No cgroup for a process; it is held by session and cookie');
			removeCgroup(cgroup);
			return null;
		}
	}

	figures(process: ProcessRecord): Figures | null {
		if (process.cgroup === null) {
			return sessionFigures(process);
		}

		return {
			...this.usage(process.cgroup),
			memoryBytes: readNumber(process.cgroup, 'memory.current'),
			processes: listMembers(process.cgroup).length,
		};
	}

	usage(cgroup: string): Usage {
		const microseconds = readNumber(cgroup, 'cpu.stat', 'usage_usec');
		return {
			cpuMs: microseconds === null ? null : Math.round(microseconds / 1000),
			memoryPeakBytes: readNumber(cgroup, 'memory.peak'),
		};
	}

	wasOutOfMemory(cgroup: string): boolean {
		return (readNumber(cgroup, 'memory.events', 'oom_kill') ?? 0) > 0;
	}

	release(cgroup: string): boolean {
		return release(cgroup, basename(this.base));
	}

	close(): void {
		removeIfEmpty(this.base);
	}

	list(): ReadonlyMap<ProcessId, string> {
		return new Map(
			readdirSync(this.base, {withFileTypes: true})
				.filter(entry => entry.isDirectory())
				.map(entry => [entry.name, join(this.base, entry.name)]),
		);
	}
}

/** Where no cgroup may be made. Processes that an earlier supervisor put into one are still found. */
export class SessionConfinement implements Confinement {
	readonly kind = 'session';
	readonly limits: ReadonlySet<LimitName> = new Set();

	constructor(private readonly baseName: string) {}

	prepare(): null {
		return null;
	}

	figures(process: ProcessRecord): Figures | null {
		return sessionFigures(process);
	}

	usage(): Usage {
		return {cpuMs: null, memoryPeakBytes: null};
	}

	wasOutOfMemory(): boolean {
		return false;
	}

	release(cgroup: string): boolean {
		return release(cgroup, this.baseName);
	}

	close(): void {
		// Nothing was made.
	}

	list(): ReadonlyMap<ProcessId, string> {
		return new Map();
	}
}

/** True where nothing is left to remove. The supervisor may have had another cgroup when it made this one. */
function release(cgroup: string, baseName: string): boolean {
	// Only what we made: a path from a damaged row must not remove anything else.
	const isOurs = basename(dirname(cgroup)) === baseName;
	return !isOurs || (!isPopulated(cgroup) && removeCgroup(cgroup));
}

/** What procfs tells of those that are alive; what the dead have used is lost to it. */
function sessionFigures({processId, state}: ProcessRecord): Figures | null {
	if (state.status === 'queued' || state.start === null) {
		return null;
	}

	// To be counted, a record is good enough: nobody is signalled.
	const members = new ProcessTree(processId, state.start, true).look();
	return {
		cpuMs: members.reduce((sum, {cpuMs}) => sum + cpuMs, 0),
		memoryPeakBytes: null,
		memoryBytes: members.reduce((sum, {memoryBytes}) => sum + memoryBytes, 0),
		processes: members.length,
	};
}

/** Cgroups where we may make them and put processes into them, unless `isWanted` is false; else sessions. */
export function findConfinement(stateDir: string, isWanted: boolean, programs: Programs, logger: Logger): Confinement {
	const base = isWanted ? findBase(stateDir) : null;
	if (base !== null) {
		if (canPutProcesses(base, programs, logger)) {
			return new CgroupConfinement(base, logger);
		}

		removeIfEmpty(base);
	}

	return new SessionConfinement(baseName(stateDir));
}

/** The cgroup that holds those of a state directory, or would; `null` where no version 2 hierarchy is mounted. */
export function findBase(stateDir: string): string | null {
	const own = findOwnCgroup();
	return own && join(basename(own) === supervisorSubgroup ? dirname(own) : own, baseName(stateDir));
}

/** Two supervisors of one user must not meet in one cgroup. */
function baseName(stateDir: string): string {
	return `nohupd-${createHash('sha256').update(stateDir).digest('hex').slice(0, 12)}`;
}

function canPutProcesses(base: string, {bash}: Programs, logger: Logger): boolean {
	// Not into the base itself: where an earlier supervisor enabled controllers it takes no processes.
	const probe = join(base, 'probe');
	try {
		makeCgroup(probe);
		execFileSync(bash, ['--norc', '-c', 'printf 0 >"$1/cgroup.procs"', 'bash', probe], {env: {}, stdio: 'ignore'});
		return true;
	} catch (error) {
		// EROFS, EACCES: the usual case in a container.
		logger.debug({error}, 'No cgroup may be made; processes are held by session and cookie');
		return false;
	} finally {
		removeIfEmpty(probe);
	}
}

/** Without this what is above its limit would not be ended: it would be swapped out, all of it, to the machine's disk. */
function keepFromSwapping(cgroup: string): void {
	const path = join(cgroup, 'memory.swap.max');
	if (existsSync(path)) {
		writeFileSync(path, '0');
	}
}

function removeIfEmpty(cgroup: string): void {
	try {
		rmdirSync(cgroup);
	} catch {
		// ENOENT, or EBUSY: processes run on in it.
	}
}
