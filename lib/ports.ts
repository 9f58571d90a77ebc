/** What the outside world must do for the supervisor. Adapters implement these and know each other not. */
import type {
	Containment,
	Figures,
	LimitName,
	Limits,
	ProcessId,
	ProcessIdentity,
	ProcessRecord,
	QueuedProcess,
	Readiness,
	RunningProcess,
	Start,
	StartedProcess,
	Stop,
	Usage,
} from './process.js';
import type {OutputExtent, OutputPiece, OutputStream} from './streams.js';
import type {ObservedEnd} from './transitions.js';

export type * from './store-ports.js';

/** Two clocks: people's, which can be set, and the machine's since boot, which cannot. */
export interface Clock {
	/** Milliseconds since 1970. */
	now(): number;
	/** Milliseconds since boot, time asleep included. */
	uptimeMs(): number;
	/** Milliseconds since some moment, time asleep perhaps not: for spans, where asking must cost nothing. */
	monotonicMs(): number;
	/** Calls back once, after at least `delayMs` (at most 2^31-1). */
	setTimer(delayMs: number, callback: () => void): Timer;
}

/** Calls back unless it is cancelled before. */
export interface Timer {
	/** Does no harm once it has called back. */
	cancel(): void;
}

/** Where problems go that have no caller to tell. Never gets a token, an environment value or output. */
export interface Logger {
	/** What only helps to find a fault of nohupd itself. */
	debug(facts: object, message: string): void;
	/** What is worth knowing, and asks for nothing. */
	info(facts: object, message: string): void;
	/** What went wrong and was made good. */
	warn(facts: object, message: string): void;
	/** What went wrong and asks for somebody. */
	error(facts: object, message: string): void;
}

/** What the shim, the command's own process and the keeper wrote about one process. */
export interface Report {
	/** `null` until the command's own process has written it. */
	readonly start: Start | null;
	/** `exitCode` is `null` if the command never started. */
	readonly end: ObservedEnd | null;
	/** The order to end it, if there was one before it had ended. */
	readonly stop: StopOrder | null;
	/** The order to end what it left behind, if there was one. */
	readonly leftoverStop: StopOrder | null;
}

/** An order as its record keeps it: a kill or a deadline, held by a supervisor or by the dead man's switch. */
export interface StopOrder extends Pick<Stop, 'why' | 'atUptimeMs' | 'isSignaled'> {
	/** `null`: that of its specification, where the dead man's switch held a deadline. */
	readonly gracePeriodMs: number | null;
}

/** Who has taken the claim on a process, if anybody has. */
export type Claim =
	| {readonly by: 'nobody'}
	| {readonly by: 'supervisor'}
	| {readonly by: 'shim'; readonly identity: ProcessIdentity}
	/** Taken, but not (yet) readable. */
	| {readonly by: 'unknown'};

/** Absolute paths of the programs that a command may need on its way. */
export interface Programs {
	/** Runs the keeper and every shell line; version 5 or later. */
	readonly bash: string;
	/** Sets the variables that a shell cannot. */
	readonly env: string;
	/** Gives the beginning of a file back to the disk; `null` where it is not installed. */
	readonly fallocate: string | null;
	/** Makes the pipe of a command that asks for standard input; `null` where there is none. */
	readonly mkfifo: string | null;
}

/** What a launcher needs to know of its place. */
export interface LauncherPlace {
	/** Real path; nobody else may write there. */
	readonly stateDir: string;
	/** Path of keeper.sh. */
	readonly keeperScript: string;
	/** Whatever `PATH` says later. */
	readonly programs: Programs;
	/** What the dead man's switch grants after SIGTERM. */
	readonly gracePeriodMs: number;
}

/** Runs commands through a keeper, and reads what became of them. */
export interface Launcher {
	/** Brings up the keeper, and ends one that an earlier supervisor left behind. */
	open(): void;
	/**
	 * Writes all that the command needs to run, now or after any crash.
	 * @throws {StorageFullError}
	 */
	prepare(process: Omit<QueuedProcess, 'sequence'>, env: ReadonlyMap<string, string>): void;
	/** Hands the process to the keeper. Doing it again does no harm: it runs once. */
	launch(processId: ProcessId): void;
	/** Takes the claim, so that the command never runs. Says whether it got it. */
	withdraw(processId: ProcessId): boolean;
	/** Who runs the process, or has seen to it that nobody ever will. */
	claim(processId: ProcessId): Claim;
	/** What its record says; nothing where it has none. */
	read(processId: ProcessId): Report;
	/**
	 * Settles an open record whose shim can no longer do it, so that nobody waits for it.
	 * @param endedAt - Milliseconds since 1970.
	 */
	closeRecord(processId: ProcessId, endedAt: number): void;
	/** Leaves a stop where the dead man's switch finds it, which finishes what nobody else lives to finish, and the next supervisor. */
	orderStop(processId: ProcessId, stop: Stop): void;
	/** Bytes that the command's output takes on the disk. */
	outputBytes(processId: ProcessId): number;
	/** Removes all that `prepare` and the command wrote. */
	discard(processId: ProcessId): void;
	/** Ids of all processes that have something on disk. */
	listPrepared(): ProcessId[];
	/** A process as `prepare` wrote it down; `null` where that cannot be read. */
	recall(processId: ProcessId): Omit<QueuedProcess, 'sequence'> | null;
	/** Calls back with the id of each process whose record may have changed. False: it cannot. */
	watch(onChange: (processId: ProcessId) => void): boolean;
	/** Lets go of the keeper at once: it holds the deadlines while no supervisor is there. Settles when nothing is written any more. */
	close(): Promise<void>;
}

/** What the kernel knows of processes. */
export interface ProcessTable {
	/** Tells this boot of the machine from all others. */
	readonly bootId: string;
	/** False for zombies, for strangers who got the number later, and after a reboot. */
	isAlive(identity: ProcessIdentity): boolean;
	/** Whether a shim still waits for the process it started; it is older than that process. */
	isShimAlive(start: Start): boolean;
	/** Whether it is a keeper of this state directory: its number may have been written there by anybody. */
	isKeeper(identity: ProcessIdentity, stateDir: string): boolean;
	/** Signals this process, and nobody who got its number later. */
	signal(identity: ProcessIdentity, signal: NodeJS.Signals): void;
}

/** Ends process trees, and looks whether they have ended. */
export interface Terminator {
	/** Whoever was seen through one handle stays known to it, even if it leaves its group and its parents. */
	target(process: StartedProcess): TreeHandle;
	/** How much of each process is alive: one look for all. */
	survey(processes: readonly StartedProcess[]): ReadonlyMap<ProcessId, number>;
}

/** The tree of one process: all that is in its group, descends from it or carries its cookie. */
export interface TreeHandle {
	/** The signal once to every process of the tree. Settles when all are signalled. */
	ask(signal: NodeJS.Signals): Promise<void>;
	/** SIGKILL, until several looks in a row find nobody. Calls back once if somebody cannot be ended for now. */
	kill(onBlocked: () => void): Promise<void>;
	/** Whether one look finds nobody alive. */
	isGone(): boolean;
	/** To the command's process group alone, as a terminal does it. False where there is none. */
	signal(signal: NodeJS.Signals): boolean;
	/** No more looks: `kill` rejects with the reason. */
	abort(reason: Error): void;
}

/** Gives each process a place that holds it together, where the machine has such. */
export interface Confinement {
	/** How processes that start now are held together. */
	readonly kind: Containment;
	/** Limits that hold here. */
	readonly limits: ReadonlySet<LimitName>;
	/** Makes a cgroup and gives its path; `null`: the process is held by session and cookie. */
	prepare(processId: ProcessId, limits: Limits | null): string | null;
	/** What the tree of a process uses now; `null` where that is not known. */
	figures(process: ProcessRecord): Figures | null;
	/** What a cgroup has used. */
	usage(cgroup: string): Usage;
	/** Whether the kernel killed something in it for want of memory. */
	wasOutOfMemory(cgroup: string): boolean;
	/** Removes a cgroup if it is empty, and says whether it is gone. */
	release(cgroup: string): boolean;
	/** Removes what no process needs any more. */
	close(): void;
	/** All cgroups of this state directory. */
	list(): ReadonlyMap<ProcessId, string>;
}

/** The end of one output stream of a process. */
export interface OutputTail extends OutputExtent {
	/** Cut at a UTF-8 boundary; what is not UTF-8 is marked with U+FFFD. */
	readonly text: string;
}

/** Shows what commands have written, and drops the oldest of it. */
export interface OutputLog {
	/** The last `maxBytes` of each stream. Empty where nothing was written. */
	tail(processId: ProcessId, maxBytes: number): {readonly stdout: OutputTail; readonly stderr: OutputTail};
	/** At most `limit` bytes from an offset on. */
	read(processId: ProcessId, stream: OutputStream, offset: number, limit: number): Promise<OutputPiece>;
	/** How far a stream reaches now: nowhere, where nothing was written. */
	extent(processId: ProcessId, stream: OutputStream): OutputExtent;
	/** Calls back soon after more was written, and perhaps without reason, until the returned function is called. */
	watch(processId: ProcessId, onChange: () => void): () => void;
	/** Drops the oldest bytes of a stream, so that at most the last `keepBytes` of those written by now stay. */
	drop(processId: ProcessId, stream: OutputStream, keepBytes: number): Promise<void>;
	/** Ends all watching. */
	close(): void;
}

/** What the file system of the state directory can do. */
export interface Disk {
	/** Bytes that may still be written. */
	freeBytes(): number;
	/**
	 * Gives the first `length` bytes of a file back to the disk; its size and the place of all others stay.
	 * False: that cannot be done here, and nothing has changed. Rejects where it could be tried again.
	 */
	punchHole(path: string, length: number): Promise<boolean>;
}

/** The pipe of a command that asked for standard input. It stays open until it is closed, whatever becomes of us. */
export interface InputPipe {
	/** Whether it was not closed, and the command's own process has not ended. */
	isOpen(processId: ProcessId): boolean;
	/** How many of these bytes it took, without waiting: 0 where it is full, `null` where nobody reads it any more. */
	write(processId: ProcessId, bytes: Uint8Array): number | null;
	/** The command reads what is in it, and then its end, in a moment: `isOpen` tells. One that is closed stays so. */
	close(processId: ProcessId): void;
}

/** Finds out when a command can do what it was started for. */
export interface ReadinessProbe {
	/** Calls back once, unless it is stopped before. */
	watch(process: RunningProcess, readiness: Readiness, onReady: () => void): Watch;
}

/** Goes on until it is stopped. */
export interface Watch {
	/** Does no harm once it is over. */
	stop(): void;
}

/** What a command inherits from where the supervisor runs. */
export interface Host {
	/** The supervisor's environment without what belongs to the supervisor alone. */
	environment(): ReadonlyMap<string, string>;
	/** Ends a sentence, or `null` where a command may run there. */
	problemWithDirectory(path: string): string | null;
}

/** Held while a supervisor owns its state directory. The kernel lets go of it when the owner dies. */
export interface OwnerLock {
	/** From then on another supervisor may have the directory. */
	release(): void;
}
