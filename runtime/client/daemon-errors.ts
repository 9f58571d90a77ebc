import {CannotError} from '../failure.js';

/** Nobody answers, or not any more: perhaps later. What was asked may have happened, or not. */
export class DaemonAwayError extends CannotError {
	constructor(
		message: string,
		/** Whether there was a sign of it: then it may be restarting. */
		readonly wasThere: boolean,
	) {
		super(message);
	}
}

/** The daemon answered that it will not. */
export class RefusedError extends CannotError {
	constructor(
		/** Of HTTP. */
		readonly status: number,
		message: string,
	) {
		super(message);
	}
}
