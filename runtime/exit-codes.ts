/** Exit codes of `nohupd run --wait` and `nohupd wait`, by the custom of env(1), timeout(1) and shells. */
import {constants} from 'node:os';

export const exitCodes = {
	/** Its timeout has ended the command, whatever it said to that. */
	timedOut: 124,
	/** nohupd could not do it, or cannot know how the command ended. */
	failed: 125,
	/** The command never ran. */
	notStarted: 126,
} as const;

/** How a process ended, as the API shows it. */
export interface Ending {
	readonly reason: string | null;
	readonly exit_code: number | null;
	readonly signal: string | null;
}

/** The command's own exit code, 128 and the number of the signal that ended it, or one of the above. */
export function exitCodeOf({reason, exit_code: exitCode, signal}: Ending): number {
	if (reason === 'timeout') {
		return exitCodes.timedOut;
	}

	if (reason === 'start_failed') {
		return exitCodes.notStarted;
	}

	const number = (constants.signals as Readonly<Record<string, number>>)[signal ?? ''];
	return exitCode ?? (number === undefined ? exitCodes.failed : 128 + number);
}

export const exitCodeHelp = `
Exit code:
  that of the command; 128+n where signal n ended it
  ${exitCodes.timedOut}  its timeout ended it
  ${exitCodes.failed}  nohupd itself failed (no daemon, refused, wrong usage, not waited any longer), or nobody knows how it ended
  ${exitCodes.notStarted}  it could not be started`;
