/** A process as it is shown to others. */
import {
	type Containment,
	type EndReason,
	type Limits,
	type ProcessId,
	type ProcessRecord,
	type ProcessState,
	type Readiness,
	readyOf,
	type StateOf,
	type StopReason,
} from './process.js';

/** The documented statuses, computed from a state in this one place. */
export type PublicStatus = 'queued' | 'running' | 'completed' | 'failed' | 'killed';

export function publicStatus(state: ProcessState): PublicStatus {
	if (state.status === 'queued') {
		return 'queued';
	}

	if (state.status !== 'ended') {
		return 'running';
	}

	if (state.end.why === 'request' || state.end.why === 'timeout') {
		return 'killed';
	}

	return state.end.why === 'exited' && state.end.exitCode === 0 ? 'completed' : 'failed';
}

/** A process as the outside sees it. */
export interface Process {
	/** What every call takes to name it. */
	readonly processId: ProcessId;
	/** Names its start: `exec_…`. */
	readonly executionId: string;
	/** As given at the start, or `null`. */
	readonly name: string | null;
	/** Who started it, as given at the start, or `null`. */
	readonly owner: string | null;
	/** The shell line, or with `args` the program. */
	readonly command: string;
	/** `null` for a shell line. */
	readonly args: readonly string[] | null;
	/** Absolute path. */
	readonly workingDir: string;
	/** Allowed running time in milliseconds; 0 means without limit. */
	readonly timeoutMs: number;
	/**
	 * `completed` is exit code 0; `failed` any other end of its own, a command that could not
	 * start or an end nobody knows; `killed` an end by request or timeout. A process that is being
	 * ended is `running` until nothing of it is left.
	 */
	readonly status: PublicStatus;
	/** Why it ended; `null` while it has not. */
	readonly reason: EndReason | null;
	/** Why it is being ended; `null` unless it is. */
	readonly stopping: StopReason | null;
	/** Of the command's own process; `null` before its start. After its end the number may be a stranger's. */
	readonly pid: number | null;
	/** When it was accepted: milliseconds since 1970, wall clock; so are the next two. */
	readonly createdAt: number;
	/** `null` until it runs. */
	readonly startedAt: number | null;
	/** `null` until it is over. */
	readonly endedAt: number | null;
	/**
	 * Running time in milliseconds, by a clock that nobody can set: in all once it has ended, so far where `get` and
	 * `list` show one that runs. `null` otherwise, and when it is not known.
	 */
	readonly durationMs: number | null;
	/** `null` when it is not known; 128 + n for signal n, as shells say it. */
	readonly exitCode: number | null;
	/** Name of the signal that ended it, derived from an exit code above 128. */
	readonly signal: string | null;
	/** A sentence, where `reason` does not say enough. */
	readonly message: string | null;
	/** How it is held together. */
	readonly containment: Containment;
	/** Living descendants of an ended process, counted about once a second; 0 for one that has not ended. */
	readonly leftover: number;
	/** It is being ended, and something of it is in uninterruptible sleep: it cannot end before it wakes. */
	readonly blocked: boolean;
	/** As given at the start, or `null`. */
	readonly limits: Limits | null;
	/** Whether its standard input is a pipe to write into. */
	readonly stdin: boolean;
	/** As given at the start, or `null`. */
	readonly ready: Readiness | null;
	/** When it was seen to be ready; `null` while it was not. */
	readonly readyAt: number | null;
	/** When the time for getting ready was over; `null` unless it was. The process runs on. */
	readonly readyTimedOutAt: number | null;
}

/** The outside view of a record. */
export function toProcess({
	processId,
	executionId,
	command,
	owner,
	createdAt,
	cgroup,
	state,
}: Omit<ProcessRecord, 'sequence'>): Process {
	const start = state.status === 'queued' ? null : state.start;
	return {
		processId,
		executionId,
		name: command.name,
		owner,
		command: command.line,
		args: command.args,
		workingDir: command.workingDir,
		timeoutMs: command.timeoutMs,
		limits: command.limits,
		stdin: command.stdin,
		ready: command.ready,
		containment: cgroup === null ? 'session' : 'cgroup',
		status: publicStatus(state),
		stopping: state.status === 'stopping' ? state.stop.why : null,
		blocked: state.status === 'stopping' && state.stop.isBlocked,
		pid: start?.identity.pid ?? null,
		createdAt,
		startedAt: start?.startedAt ?? null,
		...readyView(state),
		...endView(state.status === 'ended' ? state : null),
	};
}

function readyView(state: ProcessState) {
	const {ready} = readyOf(state);
	return {
		readyAt: ready?.status === 'ready' ? ready.at : null,
		readyTimedOutAt: ready?.status === 'timed_out' ? ready.at : null,
	};
}

function endView(ended: StateOf<'ended'> | null) {
	return {
		reason: ended?.end.why ?? null,
		endedAt: ended?.endedAt ?? null,
		durationMs: ended?.durationMs ?? null,
		exitCode: ended?.end.exitCode ?? null,
		signal: ended?.end.signal ?? null,
		message: ended?.end.message ?? null,
		leftover: ended?.leftover ?? 0,
	};
}
