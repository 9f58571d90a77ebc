import type {EndReason} from './process.js';

/** The stable name of every failure a caller is expected to handle. */
export type ErrorCode =
	| 'command_invalid'
	| 'query_invalid'
	| 'process_not_found'
	| 'process_ended'
	| 'process_running'
	| 'idempotency_conflict'
	| 'queue_full'
	| 'storage_full'
	| 'state_dir_full'
	| 'shutting_down'
	| 'wait_aborted'
	| 'not_ready'
	| 'input_unavailable'
	| 'input_blocked'
	| 'settings_invalid'
	| 'platform_unsupported'
	| 'bash_missing'
	| 'state_dir_missing'
	| 'state_dir_in_use'
	| 'state_dir_unsafe'
	| 'schema_too_new';

/** Every failure a caller is expected to handle. Anything else is a bug. */
export abstract class SupervisorError extends Error {
	abstract readonly code: ErrorCode;

	override get name(): string {
		return this.constructor.name;
	}
}

/** A command cannot be accepted as it was given. Nothing was stored. */
export class CommandInvalidError extends SupervisorError {
	readonly code = 'command_invalid';

	/**
	 * @param field - Name of the field as the caller spelled it, for instance `env.PATH`; empty for the whole.
	 * @param problem - Ends the sentence that the field begins, and says what was given.
	 */
	constructor(
		readonly field: string,
		readonly problem: string,
	) {
		super(field === '' ? `The command ${problem}` : `${field} ${problem}`);
	}
}

/** A listing, a kill, a wait or events were asked for with options that make no sense. */
export class QueryInvalidError extends SupervisorError {
	readonly code = 'query_invalid';

	constructor(
		readonly field: string,
		readonly problem: string,
	) {
		super(`${field} ${problem}`);
	}
}

/** There is no process with this id, or it was forgotten. */
export class ProcessNotFoundError extends SupervisorError {
	readonly code = 'process_not_found';

	constructor(readonly processId: string) {
		super(`No process with id ${processId}`);
	}
}

const notRunning: Readonly<Record<EndReason | 'queued' | 'ending', string>> = {
	queued: 'it waits for its turn',
	ending: 'it is just ending',
	exited: 'it has ended by itself',
	signaled: 'it was ended by a signal that did not come from nohupd',
	request: 'it was killed',
	timeout: 'its timeout has ended it',
	oom: 'it was ended for want of memory',
	start_failed: 'it could not be started',
	lost: 'it has ended, and nobody knows how',
	reboot: 'it ended when the machine was restarted',
};

/** It does not run, so there is nothing to kill or to signal. */
export class ProcessEndedError extends SupervisorError {
	readonly code = 'process_ended';

	constructor(
		readonly processId: string,
		/** How it ended; or that it has not begun, or that only its end is still to be noticed. */
		readonly why: keyof typeof notRunning,
	) {
		super(`No process with id ${processId} is running: ${notRunning[why]}`);
	}
}

/** Something of it is alive, or will be: it cannot be forgotten. */
export class ProcessRunningError extends SupervisorError {
	readonly code = 'process_running';

	constructor(
		readonly processId: string,
		/** Whether it has ended itself, and only what it left behind is alive. */
		readonly hasEnded: boolean,
	) {
		super(
			hasEnded
				? `Process ${processId} has left something behind that is alive: kill it first`
				: `Process ${processId} has not ended: kill it first`,
		);
	}
}

/** An idempotency key was used before, for another command. */
export class IdempotencyConflictError extends SupervisorError {
	readonly code = 'idempotency_conflict';

	constructor(
		readonly idempotencyKey: string,
		readonly processId: string,
	) {
		super(`The idempotency key ${JSON.stringify(idempotencyKey)} was used before for another command, ${processId}`);
	}
}

/** As many processes run and wait as may. Nothing was stored. */
export class QueueFullError extends SupervisorError {
	readonly code = 'queue_full';

	constructor(
		readonly maxRunning: number,
		readonly maxQueued: number,
	) {
		super(`${maxRunning} processes run and ${maxQueued} wait: no more are accepted until one has ended`);
	}
}

/** The disk that holds the state directory has no room for what was asked for. Nothing was stored. */
export class StorageFullError extends SupervisorError {
	readonly code = 'storage_full';

	constructor(stateDir: string, options?: ErrorOptions) {
		super(`No room on the disk of the state directory ${stateDir}: nothing was stored`, options);
	}
}

const goesOn = {
	anything: 'commands that run go on',
	kill: 'the kill is stored and will be finished',
};

/** The supervisor was closed: nothing more is taken or told. What was accepted runs on; so does a kill. */
export class ShuttingDownError extends SupervisorError {
	readonly code = 'shutting_down';

	constructor(
		/** What it was that nobody waits for any more. */
		readonly what: keyof typeof goesOn = 'anything',
	) {
		super(`The supervisor is shutting down; ${goesOn[what]}`);
	}
}

/** The caller's `AbortSignal` ended the wait. The process is not touched. */
export class WaitAbortedError extends SupervisorError {
	readonly code = 'wait_aborted';

	constructor(
		readonly processId: string,
		options?: ErrorOptions,
	) {
		super(`Stopped waiting for process ${processId}`, options);
	}
}

const notReady = {
	undeclared: 'was started without "ready": nobody watches for it',
	ended: 'has ended, or is being ended, before it was ready',
	timed_out: 'was not ready in time; it runs on',
};

/** A process will not be seen to be ready. */
export class NotReadyError extends SupervisorError {
	readonly code = 'not_ready';

	constructor(
		readonly processId: string,
		/** Nobody asked for it at the start, it ended first, or its time was over: then it runs on. */
		readonly why: 'undeclared' | 'ended' | 'timed_out',
	) {
		super(`Process ${processId} ${notReady[why]}`);
	}
}

const noInput = {
	undeclared: 'was started without "stdin": true: its standard input is empty',
	queued: 'does not run yet: it takes no input before',
	ended: 'has ended: it takes no input any more',
	closed: 'takes no input any more: its standard input was closed',
	unread: 'takes no input any more: it has closed its standard input itself',
};

/** A process takes no input. */
export class InputUnavailableError extends SupervisorError {
	readonly code = 'input_unavailable';

	constructor(
		readonly processId: string,
		/** Not asked for at the start, not there yet, over with the process, closed by us, or by the process itself. */
		readonly why: keyof typeof noInput,
		/** How much of what was given was taken before. */
		readonly takenBytes = 0,
	) {
		super(`Process ${processId} ${noInput[why]}${takenBytes === 0 ? '' : `; ${takenBytes} bytes were taken before`}`);
	}
}

/** A process reads its input too slowly: its pipe was full for as long as the writer would wait. */
export class InputBlockedError extends SupervisorError {
	readonly code = 'input_blocked';

	constructor(
		readonly processId: string,
		/** These are in the pipe, and will be read first. */
		readonly takenBytes: number,
		/** As many as were given. */
		readonly givenBytes: number,
	) {
		super(`Process ${processId} does not read its input: ${takenBytes} of ${givenBytes} bytes were taken`);
	}
}
