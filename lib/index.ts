import type {Supervisor} from './api.js';
import type {SupervisorOptions} from './settings.js';

export type * from './api.js';
export {type CommandBody, type CommandInput, commandBodySchema, type LimitsBody} from './command.js';
export * from './errors.js';
export type * from './events.js';
export type * from './ports.js';
export type {
	Containment,
	EndReason,
	Figures,
	LeftoverPolicy,
	LimitName,
	Limits,
	Process,
	ProcessId,
	PublicStatus,
	StopReason,
	Usage,
} from './process.js';
export type {PortOverrides, SupervisorOptions} from './settings.js';

/**
 * Opens a supervisor on a state directory, and takes over the processes it finds there.
 * It keeps the program alive until it is closed.
 *
 * Rejects with `SettingsInvalidError`, `PlatformUnsupportedError`, `BashMissingError`, `StateDirUnsafeError`,
 * `StateDirInUseError` or `SchemaTooNewError`.
 */
export async function createSupervisor(options: SupervisorOptions): Promise<Supervisor> {
	// Only now: whoever needs no more than a type, an error or a schema does not pay for SQLite.
	const [{compose}, {ProcessSupervisor}] = await Promise.all([import('./compose.js'), import('./supervisor.js')]);
	const supervisor = compose(options).resolve(ProcessSupervisor);
	try {
		supervisor.open();
		return supervisor;
	} catch (error) {
		await supervisor.close();
		throw error;
	}
}
