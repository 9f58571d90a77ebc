import type {CommandInput} from './command.js';
import type {EventListener, EventType} from './events.js';
import type {Containment, Figures, Process, ProcessId, PublicStatus} from './process.js';

/** A process with the end of its output. */
export interface ProcessWithOutput extends Process {
	/** The last bytes of standard output, as asked for by `tailBytes`. */
	readonly stdout: string;
	/** The same of standard error. */
	readonly stderr: string;
	/** Bytes written to standard output since the start. */
	readonly stdoutBytes: number;
	/** The same of standard error. */
	readonly stderrBytes: number;
}

/** One process with what its tree uses. */
export interface ProcessDetails extends ProcessWithOutput {
	/** While it runs, as of now; once it has ended, what it had used. `null` where the kernel does not tell. */
	readonly usage: Figures | null;
}

/** A part of the list. */
export interface ProcessPage {
	/** Newest first. */
	readonly processes: readonly ProcessWithOutput[];
	/** Give it as `cursor` to see older ones; `null` where there are none. */
	readonly nextCursor: string | null;
}

/** How a command is accepted. */
export interface StartOptions {
	/** A later start with the same key gives the first one's process. At most 255 characters. */
	readonly idempotencyKey?: string | undefined;
	/**
	 * Who starts it: told back as `owner`, and a list can be narrowed to it. Owners share no idempotency keys. At most
	 * 4,096 characters; whether it is true is the caller's to know.
	 */
	readonly owner?: string | undefined;
}

/** How much of a process is shown. */
export interface GetOptions {
	/** How much of each output stream to show, in bytes. Default: 65,536. At most 1,048,576. */
	readonly tailBytes?: number | undefined;
}

/** Which processes are listed, and how much of each is shown. */
export interface ListOptions {
	/** Only processes with this status. */
	readonly status?: PublicStatus | undefined;
	/** Exactly this name. */
	readonly name?: string | undefined;
	/** Only processes that this one started. */
	readonly owner?: string | undefined;
	/** 1 to 1,000, which is the default. */
	readonly limit?: number | undefined;
	/** The `nextCursor` of another page. */
	readonly cursor?: string | undefined;
	/** How much of each output stream to show, in bytes. Default: 8,192. At most 65,536. */
	readonly tailBytes?: number | undefined;
}

/** How a process is ended. */
export interface KillOptions {
	/** What the tree is asked to end with. Default: `SIGTERM`. */
	readonly signal?: NodeJS.Signals | undefined;
	/** Time between SIGTERM and SIGKILL in milliseconds, 0 for SIGKILL at once. Default: the supervisor's. */
	readonly gracePeriodMs?: number | undefined;
}

/** When to give up waiting. */
export interface WaitOptions {
	/** Ends the wait, never the process. */
	readonly signal?: AbortSignal | undefined;
}

/** What a supervisor does at the moment. */
export interface SupervisorState {
	/** Processes that were handed to the keeper and have not ended. */
	readonly running: number;
	/** Processes that wait for their turn. */
	readonly queued: number;
	/** Whether `close` was called: no more commands are accepted. */
	readonly isClosing: boolean;
	/** How processes that start now are held together. */
	readonly containment: Containment;
}

/** Accepts commands and owns every process of one state directory. */
export interface Supervisor {
	/** Absolute path. */
	readonly stateDir: string;

	/**
	 * Accepts a command and settles when it runs, or waits in the queue (`status` tells). From then on
	 * it runs exactly once, whatever crashes. A command that could not begin is `failed`.
	 *
	 * Rejects, with nothing stored, with `CommandInvalidError`, `QueueFullError`, `StorageFullError`,
	 * `IdempotencyConflictError` or `ShuttingDownError`.
	 */
	start(command: CommandInput, options?: StartOptions): Promise<Process>;

	/** The same for an unchecked JSON body in the spelling of the HTTP API (`CommandBody`); errors name its fields. */
	startBody(body: unknown, options?: StartOptions): Promise<Process>;

	/** One process with the end of its output. Rejects with `ProcessNotFoundError` or `QueryInvalidError`. */
	get(processId: ProcessId, options?: GetOptions): Promise<ProcessDetails>;

	/** A page of processes, newest first. Rejects with `QueryInvalidError`. */
	list(options?: ListOptions): Promise<ProcessPage>;

	/**
	 * Ends a process with all its descendants: SIGTERM, the grace period, SIGKILL. Settles when none of
	 * them is alive, as far as its `containment` can tell. Again for one that was killed before: settles at once.
	 * For one that ended by itself and left descendants behind, these are ended.
	 *
	 * Rejects with `ProcessNotFoundError`, or with `ProcessEndedError` where it ended by itself and left nothing.
	 */
	kill(processId: ProcessId, options?: KillOptions): Promise<Process>;

	/**
	 * Sends a signal to the command's process group, as a terminal does, and leaves the rest to the command.
	 *
	 * Rejects with `ProcessNotFoundError`, with `ProcessEndedError` where it does not run (any more, or yet), or with
	 * `QueryInvalidError` for a signal this platform does not know.
	 */
	signal(processId: ProcessId, signal: NodeJS.Signals): Promise<Process>;

	/**
	 * Settles with the ended process, at once if it has ended already. Never rejects because of
	 * an exit code. Rejects with `ProcessNotFoundError`, with `WaitAbortedError` on `signal`, and with
	 * `ShuttingDownError` when the supervisor is closed first.
	 */
	wait(processId: ProcessId, options?: WaitOptions): Promise<Process>;

	/** Calls `listener` after each event of this type. One that throws is logged and harms nobody. */
	on<Type extends EventType>(type: Type, listener: EventListener<Type>): this;

	/** Takes a listener off; one that was never on does no harm. */
	off<Type extends EventType>(type: Type, listener: EventListener<Type>): this;

	/** Counts of this moment. Answers after `close` too. */
	state(): SupervisorState;

	/**
	 * Lets go of everything: processes run on, deadlines are held, the next supervisor with this state directory
	 * finds them. Further calls reject with `ShuttingDownError`. Closing twice does no harm.
	 */
	close(): Promise<void>;
}
