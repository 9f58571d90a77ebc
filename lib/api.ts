import type {CommandInput} from './command.js';
import type {EventFeedItem, EventListener, EventType} from './events.js';
import type {Containment, Figures, ProcessId} from './process.js';
import type {Process, PublicStatus} from './process-view.js';
import type {OutputGap, OutputPiece, OutputStream} from './streams.js';

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
	/** How many of them, the oldest, have been dropped. */
	readonly stdoutDropped: number;
	/** The same of standard error. */
	readonly stderrDropped: number;
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

/** Which part of an output is read. */
export interface ReadOptions {
	/** Default: `stdout`. */
	readonly stream?: OutputStream | undefined;
	/** Where to begin, counted from the first byte ever written; beyond the end means at the end. Default: 0. */
	readonly offset?: number | undefined;
	/** In place of `offset`: so many bytes before the end, as far as they are still there. At most 1,048,576. */
	readonly tail?: number | undefined;
	/** At most so many bytes. Default: `tail`, else 65,536. At most 1,048,576. */
	readonly limit?: number | undefined;
}

/** A part of one stream, as it was read. */
export interface OutputRead extends OutputPiece {
	/** Whose bytes these are. */
	readonly stream: OutputStream;
	/** The process has ended, and nothing had been written by then after these bytes. */
	readonly isEnd: boolean;
}

/** Which output is followed, and from where. */
export interface FollowOptions {
	/** Only this stream. Default: both. */
	readonly stream?: OutputStream | undefined;
	/** Where to begin in each stream: the `nextOffset` of the last chunk seen. Default: 0. */
	readonly from?: {readonly [Stream in OutputStream]?: number | undefined} | undefined;
	/** Ends the iteration, without an error. */
	readonly signal?: AbortSignal | undefined;
}

/** The next bytes of one stream. */
export interface OutputChunk {
	/** Whose bytes these are. */
	readonly stream: OutputStream;
	/** Of the first byte, counted from the first one ever written. */
	readonly offset: number;
	/** Where to go on. */
	readonly nextOffset: number;
	/**
	 * Exactly as they were written, at most 65,536. Empty only where a gap is all there is to tell. Others who follow
	 * the process are given the same bytes: do not change them.
	 */
	readonly bytes: Uint8Array;
	/** Bytes before these that were dropped before they were seen; `null` where none were. */
	readonly gap: OutputGap | null;
}

/**
 * What one process writes. Offsets are positions in all that was ever written to a stream: they stay true when the
 * oldest bytes are dropped, and from one supervisor to the next.
 */
export interface ProcessOutput {
	/** A part of what was written by now. Rejects with `ProcessNotFoundError` or `QueryInvalidError`. */
	read(options?: ReadOptions): Promise<OutputRead>;

	/**
	 * What was written and what will be, each byte once and in the order of its stream, as fast as it is taken: nothing
	 * is kept for one that does not ask. Ends when the process has ended and all is given that was written by then;
	 * descendants that it left behind may write on, and can be read. Throws what `read` rejects with, and
	 * `ShuttingDownError` when the supervisor is closed first.
	 */
	follow(options?: FollowOptions): AsyncIterableIterator<OutputChunk>;
}

/** When to give up waiting. */
export interface WaitOptions {
	/** Ends the wait, never the process. */
	readonly signal?: AbortSignal | undefined;
}

/** How input is written. */
export interface WriteOptions {
	/** Close it afterwards: the command reads its end. Default: false. */
	readonly close?: boolean | undefined;
	/** How long to wait while the pipe is full (64 KiB, as a rule), in milliseconds. Default: 10,000. */
	readonly timeoutMs?: number | undefined;
}

/** Which events a subscriber is told. */
export interface EventsOptions {
	/** The last number that it has seen; 0 for all that are kept. Default: only what comes from now on. */
	readonly after?: number | undefined;
	/** Only events of this process. */
	readonly processId?: ProcessId | undefined;
	/** Only events of processes that this one started. */
	readonly owner?: string | undefined;
	/** Only events of these types. */
	readonly types?: readonly EventType[] | undefined;
	/** Ends the subscription. */
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
	/** Whether the disk has its reserve free (`reserveBytes`): without it commands are refused. */
	readonly hasRoom: boolean;
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

	/**
	 * A page of processes, newest first. Without output (`tailBytes: 0`) an ended process of which nothing has changed
	 * is given as the same, frozen object. Rejects with `QueryInvalidError`.
	 */
	list(options?: ListOptions): Promise<ProcessPage>;

	/**
	 * Ends a process with all its descendants: SIGTERM, the grace period, SIGKILL. Settles when none of
	 * them is alive, as far as its `containment` can tell. Again for one that was killed before: settles at once.
	 * For one that ended by itself and left descendants behind, these are ended.
	 *
	 * Rejects with `ProcessNotFoundError`, with `ProcessEndedError` where it ended by itself and left nothing, or with
	 * `StorageFullError` where it waits in the queue and there is no room to store that it is not to run. With
	 * `ShuttingDownError` when the supervisor is closed first: its sentence says whether the kill is finished without it.
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

	/** What a process writes, to be read and followed. One that is not known is told when it is. */
	output(processId: ProcessId): ProcessOutput;
	/**
	 * Settles when the process is ready, at once if it was seen so before. Rejects with `ProcessNotFoundError`, with
	 * `NotReadyError` where it ends first, where its time is over or where no `ready` was given at the start, with
	 * `WaitAbortedError` on `signal`, and with `ShuttingDownError` when the supervisor is closed first.
	 */
	ready(processId: ProcessId, options?: WaitOptions): Promise<Process>;

	/**
	 * Writes to the standard input of a process that was started with `stdin: true`. Settles when all is in its pipe, from
	 * where it reaches the command whatever becomes of us. Several writers take their turns, each as a whole.
	 *
	 * Rejects with `ProcessNotFoundError`, with `InputUnavailableError`, with `InputBlockedError` where the command does not
	 * read (it says how much was taken), with `QueryInvalidError` or with `ShuttingDownError`.
	 */
	write(processId: ProcessId, data: string | Uint8Array, options?: WriteOptions): Promise<void>;

	/**
	 * Closes the standard input of a process, after all that is being written: the command reads its end. Again for one
	 * that is closed: does no harm. Rejects like `write`.
	 */
	closeInput(processId: ProcessId): Promise<void>;

	/**
	 * Forgets a process that has ended, of which nothing is alive: its row, its idempotency key, its output and its
	 * events. Settles with it as it was last.
	 *
	 * Rejects with `ProcessNotFoundError`, or with `ProcessRunningError`.
	 */
	forget(processId: ProcessId): Promise<Process>;

	/**
	 * The events as they come, in the order of their numbers, none twice and none missing, also for one who comes back
	 * with the last number it has seen after the supervisor was restarted. Where events in between are no longer kept,
	 * a `gap` says so. Whoever takes them slowly holds nobody up. Ends without an error on `signal` and when the
	 * supervisor is closed.
	 *
	 * Throws `QueryInvalidError`, `ProcessNotFoundError` for a process of which nothing was ever told, or
	 * `ShuttingDownError`.
	 */
	events(options?: EventsOptions): AsyncGenerator<EventFeedItem, undefined, undefined>;

	/**
	 * Calls `listener` after each event of this type. One that throws is logged and harms nobody.
	 * @throws {QueryInvalidError} for a type that there is not.
	 */
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
