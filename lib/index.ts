import type {Supervisor} from './api.js';
import type {Finding} from './examination.js';
import type {SupervisorOptions} from './settings.js';
import type {ProcessSupervisor} from './supervisor.js';

export type * from './api.js';
export type {CommandBody, CommandInput, LimitsBody} from './command.js';
export {commandBodySchema} from './command-schema.js';
export * from './errors.js';
export * from './events.js';
export type {Finding} from './examination.js';
export * from './opening-errors.js';
export type * from './ports.js';
export type {
	Containment,
	EndReason,
	Figures,
	LeftoverPolicy,
	LimitName,
	Limits,
	ProcessId,
	Readiness,
	StopReason,
	Usage,
} from './process.js';
export type {Process, PublicStatus} from './process-view.js';
export type {ReadyBody, ReadyInput, ReadySign} from './readiness-input.js';
export type {OutputOptions, PortOverrides, RetentionOptions, SupervisorOptions} from './settings.js';
export type * from './store-ports.js';
export * from './streams.js';

/**
 * Opens a supervisor on a state directory, and takes over the processes it finds there.
 * It keeps the program alive until it is closed.
 *
 * Rejects with `SettingsInvalidError`, `PlatformUnsupportedError`, `BashMissingError`, `StateDirMissingError`,
 * `StateDirUnsafeError`, `StateDirInUseError`, `StateDirFullError` or `SchemaTooNewError`.
 */
export async function createSupervisor(options: SupervisorOptions): Promise<Supervisor> {
	// Only now: whoever needs no more than a type, an error or a schema does not pay for SQLite.
	const [{compose, toOpeningError}, {ProcessSupervisor}] = await Promise.all([
		import('./compose.js'),
		import('./supervisor.js'),
	]);
	let supervisor: ProcessSupervisor | undefined;
	try {
		supervisor = compose(options).resolve(ProcessSupervisor);
		supervisor.open();
		return supervisor;
	} catch (error) {
		await supervisor?.close();
		throw toOpeningError(error, options);
	}
}

/**
 * Looks at what this machine offers to a supervisor on a state directory. Nothing is changed, and one that is at work
 * there is not disturbed. Never rejects: what goes wrong is a finding.
 */
export async function examineHost(stateDir: string): Promise<Finding[]> {
	const {examineHost} = await import('./examination.js');
	return examineHost(stateDir);
}
