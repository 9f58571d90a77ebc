/** What a process is. No I/O and no clock here, nor in what belongs to it: `transitions` and `process-view`. */

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
export interface MaybeReady {
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

/** Narrows a record to one status. */
export function hasStatus<S extends Status>(process: ProcessRecord, status: S): process is ProcessRecord<StateOf<S>> {
	return process.state.status === status;
}

/** Whether a process has begun and is not known to have ended. */
export function isLive(process: ProcessRecord): process is LiveProcess {
	return process.state.status === 'running' || process.state.status === 'stopping';
}

/** Whether the watch has nothing to find any more: it is ready, its time was over, or it has ended or is being ended. */
export function isReadinessSettled({state}: ProcessRecord): boolean {
	return state.status !== 'queued' && (state.status !== 'running' || state.ready !== undefined);
}

/** What the watch for readiness has found, if it has. */
export function readyOf(state: ProcessState): MaybeReady {
	return state.status === 'queued' || state.ready === undefined ? {} : {ready: state.ready};
}
