import {constants} from 'node:os';

/**
 * What a process is and which ways it can go. No I/O and no clock here: whoever knows a fact
 * passes it in, and gets the record that follows from it.
 */

/** The name of one process, `proc_` and 32 hexadecimal digits, unique everywhere. */
export type ProcessId = string;

/** What to run, after validation and with every default filled in. */
export interface Command {
	/** A shell line for `bash -c`, or with `args` the program itself. */
	readonly line: string;
	/** Arguments of the program; `null` for a shell line. */
	readonly args: readonly string[] | null;
	/** Absolute path. */
	readonly workingDir: string;
	/** For people; need not be unique. */
	readonly name: string | null;
	/** Allowed running time; 0 means without limit. */
	readonly timeoutMs: number;
	readonly leftover: LeftoverPolicy;
	/** `null`: none but the machine's. */
	readonly limits: Limits | null;
	/** Whether its standard input is a pipe that others write into; else it is empty. */
	readonly stdin: boolean;
	/** `null`: nobody watches for it. */
	readonly ready: Readiness | null;
}

/** How a command shows that it can do what it was started for, and how long it may take from its start on. */
export type Readiness = {
	/** Counted from the start of the command. When it is over, nobody watches any more; the command runs on. */
	readonly timeoutMs: number;
} & (
	| {
			/** It listens on this TCP port. */
			readonly port: number;
	  }
	| {
			/** A GET of this URL is answered with a status below 500. */
			readonly http: string;
	  }
	| {
			/** It has written this text to standard output or standard error. */
			readonly log: string;
	  }
);

/** What the watch for readiness has found. Neither changes the state of the process. */
export interface ReadyFact {
	readonly status: 'ready' | 'timed_out';
	/** Wall clock, milliseconds since 1970. */
	readonly at: number;
}

/** What becomes of living descendants when the command has ended: they stay, until its timeout, or are ended at once. */
export type LeftoverPolicy = 'keep' | 'kill';

/** What the whole tree of a process may use. Held by its cgroup. */
export interface Limits {
	/** Memory of all together; what needs more is ended by the kernel (`oom`). */
	readonly memoryBytes?: number | undefined;
	/** Processes and threads at a time. */
	readonly pids?: number | undefined;
	/** Of one processor: 150 is one and a half. */
	readonly cpuPercent?: number | undefined;
	/** Start also where a limit cannot be held. Default: false, the start is refused. */
	readonly bestEffort?: boolean | undefined;
}

/** Limits that a controller holds. */
export type LimitName = Exclude<keyof Limits, 'bestEffort'>;

/**
 * How a process is held together: by a cgroup of its own, which nothing can leave, or by session, group,
 * parent links and cookie, which a program that wants to can shake off.
 */
export type Containment = 'cgroup' | 'session';

/** What a process tree has used, where the kernel tells. */
export interface Usage {
	/** Time on processors, all together. */
	readonly cpuMs: number | null;
	/** The most memory it had at once. */
	readonly memoryPeakBytes: number | null;
}

/** What a process tree uses now. */
export interface Figures extends Usage {
	/** Memory it has now. */
	readonly memoryBytes: number | null;
	/** Living processes. */
	readonly processes: number;
}

/** The only safe name of a live process: a pid alone may be someone else's by now (proc_pid_stat(5), field 22). */
export interface ProcessIdentity {
	readonly bootId: string;
	readonly pid: number;
	/** Start of the process in clock ticks (1/100 s) since boot. */
	readonly startTicks: number;
}

/** Why we end a process. */
export type StopReason = 'request' | 'timeout';

/** Why a process is no more. */
export type EndReason =
	| 'exited'
	| 'signaled'
	| StopReason
	| 'oom'
	/** The command never ran; `message` says why. */
	| 'start_failed'
	/** It ended, and nobody can say how. */
	| 'lost'
	/** The machine was restarted under it. */
	| 'reboot';

/** How a process ended. What cannot be known is `null`, never a number. */
export interface End {
	readonly why: EndReason;
	/** As a shell reports it: 128 + n for signal n. */
	readonly exitCode: number | null;
	/** Derived from an exit code above 128, for instance `SIGTERM`. */
	readonly signal: string | null;
	/** A sentence, where the reason alone does not say enough. */
	readonly message: string | null;
}

/** What a process started with, known from its record. */
export interface Start {
	readonly identity: ProcessIdentity;
	/** Of the shim that waits for it. */
	readonly shimPid: number;
	/** Of the session it began in: that of its keeper. */
	readonly sessionId: number;
	/** Wall clock, milliseconds since 1970. */
	readonly startedAt: number;
}

/** An order to end a process, committed before any signal is sent. */
export interface Stop {
	readonly why: StopReason;
	/** Milliseconds since boot, so that a changed wall clock cannot stretch the grace period. */
	readonly atUptimeMs: number;
	/** Time between SIGTERM and SIGKILL. */
	readonly gracePeriodMs: number;
	/** Whether SIGTERM was sent: many programs take a second one as "at once". */
	readonly isSignaled: boolean;
	/** Something of it is in uninterruptible sleep, and takes no notice of SIGKILL before it wakes. */
	readonly isBlocked: boolean;
}

export type ProcessState =
	| {readonly status: 'queued'}
	| ({readonly status: 'running'; readonly start: Start} & MaybeReady)
	| ({readonly status: 'stopping'; readonly start: Start; readonly stop: Stop} & MaybeReady)
	| ({
			readonly status: 'ended';
			readonly start: Start | null;
			/** Wall clock, milliseconds since 1970. */
			readonly endedAt: number;
			/** Running time by a clock that nobody can set, `null` when it is not known. */
			readonly durationMs: number | null;
			readonly end: End;
			/** Living descendants, when they were last counted. */
			readonly leftover: number;
			/** `null` where the kernel did not tell. */
			readonly usage: Usage | null;
	  } & MaybeReady);

/** Missing until something was found; kept from then on. */
interface MaybeReady {
	readonly ready?: ReadyFact;
}

export type Status = ProcessState['status'];

/** One run of a command, as we remember it. */
export interface ProcessRecord<State extends ProcessState = ProcessState> {
	/** Order of acceptance within a state directory. */
	readonly sequence: number;
	readonly processId: ProcessId;
	/** Names the start of the process: `exec_…`. */
	readonly executionId: string;
	readonly command: Command;
	/** Who started it, as its caller named them; `null` where nobody was named. */
	readonly owner: string | null;
	/** Wall clock, milliseconds since 1970. */
	readonly createdAt: number;
	/** Absolute path of the cgroup it has to itself; `null` where it is held by session and cookie. */
	readonly cgroup: string | null;
	readonly state: State;
}

export type StateOf<S extends Status> = Extract<ProcessState, {status: S}>;
export type QueuedProcess = ProcessRecord<StateOf<'queued'>>;
export type RunningProcess = ProcessRecord<StateOf<'running'>>;
export type StoppingProcess = ProcessRecord<StateOf<'stopping'>>;
export type EndedProcess = ProcessRecord<StateOf<'ended'>>;
/** A process that has begun and is not known to have ended. */
export type LiveProcess = RunningProcess | StoppingProcess;

/** A process that has begun, whether or not it has ended. */
export interface StartedProcess extends ProcessRecord {
	readonly state: Exclude<ProcessState, {status: 'queued'}> & {readonly start: Start};
}

/** proc_pid_stat(5): start times are told in hundredths of a second. */
const tickMs = 10;

/** When it began, in milliseconds since boot: by the clock that nobody can set. */
export function startedAtUptimeMs({identity}: Start): number {
	return identity.startTicks * tickMs;
}

/** Narrows a record to one that has begun. */
export function hasStarted(process: ProcessRecord): process is StartedProcess {
	return process.state.status !== 'queued' && process.state.start !== null;
}

/** What is known of an end apart from who wanted it. */
export interface ObservedEnd {
	readonly exitCode: number | null;
	readonly endedAt: number;
	readonly durationMs: number | null;
	/** Set where the exit code does not tell. */
	readonly why?: 'start_failed' | 'lost' | 'reboot' | 'oom';
	readonly message?: string;
	readonly usage?: Usage | null;
}

/** Narrows a record to one status. */
export function hasStatus<S extends Status>(process: ProcessRecord, status: S): process is ProcessRecord<StateOf<S>> {
	return process.state.status === status;
}

/** Whether a process has begun and is not known to have ended. */
export function isLive(process: ProcessRecord): process is LiveProcess {
	return process.state.status === 'running' || process.state.status === 'stopping';
}

/** The command runs now. */
export function recordStart(process: QueuedProcess, start: Start): RunningProcess {
	return {...process, state: {status: 'running', start}};
}

/** Somebody wants it ended. Of two orders the first counts: the second changes nothing. */
export function recordStop(process: LiveProcess, stop: Stop): StoppingProcess {
	if (process.state.status === 'stopping') {
		return {...process, state: process.state};
	}

	return {
		...process,
		state: {status: 'stopping', start: process.state.start, stop, ...readyOf(process.state)},
	};
}

/** It is over. An end that we wanted keeps the reason for the stop, whatever the exit code. */
export function recordEnd(process: ProcessRecord, observed: ObservedEnd): EndedProcess {
	const {state} = process;
	if (state.status === 'ended') {
		return {...process, state};
	}

	const signal = signalFromExitCode(observed.exitCode);
	const stopped = state.status === 'stopping' ? state.stop.why : undefined;
	return {
		...process,
		state: {
			status: 'ended',
			start: state.status === 'queued' ? null : state.start,
			endedAt: observed.endedAt,
			durationMs: observed.durationMs,
			end: {
				why: stopped ?? observed.why ?? (signal === null ? 'exited' : 'signaled'),
				exitCode: observed.exitCode,
				signal,
				message: observed.message ?? null,
			},
			leftover: 0,
			usage: observed.usage ?? null,
			...readyOf(state),
		},
	};
}

function readyOf(state: ProcessState): MaybeReady {
	return state.status === 'queued' || state.ready === undefined ? {} : {ready: state.ready};
}

/** The watch for readiness is over. */
export function recordReady(process: RunningProcess, ready: ReadyFact): RunningProcess {
	return {...process, state: {...process.state, ready}};
}

/** Whether the watch has nothing to find any more: it is ready, its time was over, or it has ended or is being ended. */
export function isReadinessSettled({state}: ProcessRecord): boolean {
	return state.status !== 'queued' && (state.status !== 'running' || state.ready !== undefined);
}

/** A queued process that somebody ended before it ran. */
export function recordStopBeforeStart(process: QueuedProcess, why: StopReason, endedAt: number): EndedProcess {
	return {
		...process,
		state: {
			status: 'ended',
			start: null,
			endedAt,
			durationMs: null,
			end: {why, exitCode: null, signal: null, message: null},
			leftover: 0,
			usage: null,
		},
	};
}

/** How many descendants of an ended process are alive. */
export function recordLeftover<Ended extends EndedProcess>(process: Ended, leftover: number): Ended {
	return {...process, state: {...process.state, leftover}};
}

/** In the word that a process was forgotten its command is a reminder; as it was given it may have megabytes. */
const forgottenCommandLength = 1024;

/** What is still told of a process that is forgotten. */
export function recordForgotten(process: EndedProcess): EndedProcess {
	const {line, args} = process.command;
	const isLong = line.length + (args?.join().length ?? 0) > forgottenCommandLength;
	return isLong
		? {...process, command: {...process.command, line: line.slice(0, forgottenCommandLength), args: args && []}}
		: process;
}

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

// Reversed, so that of two names for a number (SIGABRT, SIGIOT) the usual one wins.
const signalNames = new Map(
	Object.entries(constants.signals)
		.reverse()
		.map(([name, number]) => [number, name]),
);

/** The signal behind a shell's exit code: 128 + n (bash(1), "EXIT STATUS"); `null` where there is none. */
export function signalFromExitCode(exitCode: number | null): string | null {
	return exitCode === null ? null : (signalNames.get(exitCode - 128) ?? null);
}
