import type {InjectionToken} from 'tsyringe';

// Both are CommonJS. To `import` such a package makes Node compile a parser for it, in WebAssembly, and keep it: 8 MB
// more in every program that embeds us. tsyringe throws unless the other is there before it.
import reflectMetadata = require('reflect-metadata');
import tsyringe = require('tsyringe');

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

// What it adds to Reflect is all that is wanted of it.
void reflectMetadata;

export type {DependencyContainer, InjectionToken} from 'tsyringe';
export const {container, inject, injectable, instanceCachingFactory, Lifecycle} = tsyringe;

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
