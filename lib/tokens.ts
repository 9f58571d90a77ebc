import 'reflect-metadata';
import type {InjectionToken} from 'tsyringe';
import type {
	Archive,
	Clock,
	Confinement,
	Disk,
	EventStore,
	Host,
	InputPipe,
	Launcher,
	LauncherPlace,
	Logger,
	OutputLog,
	OwnerLock,
	ProcessStore,
	ProcessTable,
	ReadinessProbe,
	Terminator,
} from './ports.js';
import type {Settings} from './settings.js';

export {
	container,
	type DependencyContainer,
	type InjectionToken,
	inject,
	injectable,
	instanceCachingFactory,
	Lifecycle,
} from 'tsyringe';

function token<T>(name: string): InjectionToken<T> {
	return Symbol(name);
}

/** Names of what classes ask for in their constructors. */
export const Tokens = {
	archive: token<Archive>('Archive'),
	clock: token<Clock>('Clock'),
	confinement: token<Confinement>('Confinement'),
	disk: token<Disk>('Disk'),
	events: token<EventStore>('EventStore'),
	host: token<Host>('Host'),
	input: token<InputPipe>('InputPipe'),
	launcher: token<Launcher>('Launcher'),
	launcherPlace: token<LauncherPlace>('LauncherPlace'),
	logger: token<Logger>('Logger'),
	output: token<OutputLog>('OutputLog'),
	ownerLock: token<OwnerLock>('OwnerLock'),
	processTable: token<ProcessTable>('ProcessTable'),
	readinessProbe: token<ReadinessProbe>('ReadinessProbe'),
	settings: token<Settings>('Settings'),
	stateDir: token<string>('StateDir'),
	store: token<ProcessStore>('ProcessStore'),
	terminator: token<Terminator>('Terminator'),
	workingDir: token<string>('WorkingDir'),
} as const;
