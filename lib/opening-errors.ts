/** Why a supervisor could not be opened. */
import {SupervisorError} from './errors.js';

/** A setting makes no sense. */
export class SettingsInvalidError extends SupervisorError {
	readonly code = 'settings_invalid';

	constructor(
		readonly setting: string,
		readonly problem: string,
		options?: ErrorOptions,
	) {
		super(`${setting} ${problem}`, options);
	}
}

/** This is not Linux, whose procfs and process groups are needed. */
export class PlatformUnsupportedError extends SupervisorError {
	readonly code = 'platform_unsupported';

	constructor(readonly platform: string) {
		super(`nohupd runs on Linux only; this is ${platform}`);
	}
}

/** There is no bash 5 here to run commands with, or no env(1). */
export class BashMissingError extends SupervisorError {
	readonly code = 'bash_missing';

	constructor(searched: string) {
		super(`nohupd needs bash 5 or later and env, and did not find both in ${searched}; try "apk add bash coreutils"`);
	}
}

/** The state directory is not there, and cannot be made. */
export class StateDirMissingError extends SupervisorError {
	readonly code = 'state_dir_missing';

	constructor(
		readonly stateDir: string,
		options: {readonly cause: Error},
	) {
		super(`The state directory ${stateDir} cannot be made (${options.cause.message}): name another one`, options);
	}
}

/** A state directory has one owner at a time. */
export class StateDirInUseError extends SupervisorError {
	readonly code = 'state_dir_in_use';

	constructor(
		readonly stateDir: string,
		/** Pid of the owner, `null` if it could not be read. */
		readonly ownerPid: number | null,
	) {
		super(
			`The state directory ${stateDir} is in use by another supervisor${ownerPid === null ? '' : `, pid ${ownerPid}`}`,
		);
	}
}

/** Others could read or change what the state directory holds. */
export class StateDirUnsafeError extends SupervisorError {
	readonly code = 'state_dir_unsafe';

	constructor(
		readonly stateDir: string,
		problem: string,
	) {
		super(`The state directory ${stateDir} ${problem}`);
	}
}

/** The database was written by a later version. It was not touched. */
export class SchemaTooNewError extends SupervisorError {
	readonly code = 'schema_too_new';

	constructor(
		readonly path: string,
		readonly found: number,
		readonly known: number,
	) {
		super(`${path} has schema ${found}, and this version of nohupd knows only up to ${known}: run the newer version`);
	}
}

/** The disk that holds the state directory has no room for a supervisor. Nothing of what is there was lost. */
export class StateDirFullError extends SupervisorError {
	readonly code = 'state_dir_full';

	constructor(stateDir: string, options?: ErrorOptions) {
		const comfort = 'commands run on, and their deadlines are held';
		super(`No room on the disk of the state directory ${stateDir}: free some and start again; ${comfort}`, options);
	}
}
