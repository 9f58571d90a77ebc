/** What the outside world must do for the supervisor. Adapters implement these and know each other not. */
import type {AnyProcessEvent, EventType} from './events.js';
import type {
	Containment,
	EndedProcess,
	Figures,
	LimitName,
	Limits,
	ObservedEnd,
	ProcessId,
	ProcessIdentity,
	ProcessRecord,
	PublicStatus,
	QueuedProcess,
	Start,
	StartedProcess,
	Usage,
} from './process.js';

/** Two clocks: people's, which can be set, and the machine's since boot, which cannot. */
export interface Clock {
	/** Milliseconds since 1970. */
	now(): number;
	/** Milliseconds since boot, time asleep included. */
	uptimeMs(): number;
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

/** A change of state and the event that tells it, stored together or not at all. */
export interface Change {
	/** The process as it is from now on. */
	readonly record: ProcessRecord;
	/** What is told of it. */
	readonly event: EventType;
	/** Wall clock, milliseconds since 1970. */
	readonly at: number;
}

/** A key by which a caller may repeat a start without starting twice. */
export interface IdempotencyKey {
	/** As the caller gave it. */
	readonly key: string;
	/** Of the start: the same key of another owner is another key. */
	readonly owner: string | null;
	/** Tells commands apart: the same key with another fingerprint is a conflict. */
	readonly fingerprint: string;
}

/** Which processes are wanted. What is not given does not narrow. */
export interface ListQuery {
	/** The documented status, not the state. */
	readonly status?: PublicStatus | undefined;
	/** Exactly this name. */
	readonly name?: string | undefined;
	/** Only processes that this one started. */
	readonly owner?: string | undefined;
	/** Only processes with a lower sequence number. */
	readonly before?: number | undefined;
	/** At most so many. */
	readonly limit: number;
}

/** Remembers every process. All calls are synchronous; what returned is committed. */
export interface ProcessStore {
	/** The next sequence number is the store's to give. @throws {StorageFullError} */
	insert(
		process: Omit<QueuedProcess, 'sequence'>,
		at: number,
		key?: IdempotencyKey,
	): {process: QueuedProcess; event: AnyProcessEvent};
	/** Writes changes in one transaction and returns their numbered events. */
	apply(changes: readonly Change[]): AnyProcessEvent[];
	/** Writes a fact that is nobody's news. */
	update(record: ProcessRecord): void;
	/** `null` where there is no such process. */
	find(processId: ProcessId): ProcessRecord | null;
	/** The process that was accepted with this key, and the fingerprint of its request. */
	findByIdempotencyKey(
		key: string,
		owner: string | null,
	): {readonly processId: ProcessId; readonly fingerprint: string} | null;
	/** Newest first. */
	list(query: ListQuery): ProcessRecord[];
	/** Everything that has not ended, oldest first. */
	listOpen(): ProcessRecord[];
	/** Ended ones with living descendants, oldest first. */
	listWithLeftover(): EndedProcess[];
	/** Takes over a process found on disk that has no row. */
	adopt(process: Omit<ProcessRecord, 'sequence'>): void;
	/** Whether the list may have been lost with the database, and must be rebuilt from the run directories. */
	readonly isRebuilding: boolean;
	/** Takes over, all or none, those found on disk that have no row: the list is whole again, whatever crashes. */
	rebuild(processes: readonly Omit<ProcessRecord, 'sequence'>[]): void;
	/** The last call. */
	close(): void;
}

/** What the shim, the command's own process and the keeper wrote about one process. */
export interface Report {
	/** `null` until the command's own process has written it. */
	readonly start: Start | null;
	/** `exitCode` is `null` if the command never started. */
	readonly end: ObservedEnd | null;
	/** When the dead man's switch sent SIGTERM, in milliseconds since boot. */
	readonly stoppedAtUptimeMs: number | null;
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
	/** Removes all that `prepare` and the command wrote. */
	discard(processId: ProcessId): void;
	/** Ids of all processes that have something on disk. */
	listPrepared(): ProcessId[];
	/** A process as `prepare` wrote it down; `null` where that cannot be read. */
	recall(processId: ProcessId): Omit<QueuedProcess, 'sequence'> | null;
	/** Calls back with the id of each process whose record may have changed. False: it cannot. */
	watch(onChange: (processId: ProcessId) => void): boolean;
	/** Lets go of the keeper: it holds the deadlines while no supervisor is there. */
	close(): void;
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
export interface OutputTail {
	/** Cut at a UTF-8 boundary; what is not UTF-8 is marked with U+FFFD. */
	readonly text: string;
	/** Bytes written since the start. */
	readonly totalBytes: number;
}

/** Shows what commands have written. */
export interface OutputLog {
	/** The last `maxBytes` of each stream. Empty where nothing was written. */
	tail(processId: ProcessId, maxBytes: number): {readonly stdout: OutputTail; readonly stderr: OutputTail};
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
