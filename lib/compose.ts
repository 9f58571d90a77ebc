import {join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {Admission} from './admission.js';
import {Deadlines} from './deadlines.js';
import {SupervisorError} from './errors.js';
import {EventBus} from './event-bus.js';
import {EventFeed} from './event-feed.js';
import {InputQueue} from './input-queue.js';
import {Intake} from './intake.js';
import {Intents} from './intents.js';
import {FifoInput} from './keeper/fifo-input.js';
import {KeeperLauncher} from './keeper/launcher.js';
import {findPrograms} from './keeper/programs.js';
import {Kills} from './kills.js';
import {Ledger} from './ledger.js';
import {Leftovers} from './leftovers.js';
import {PlatformUnsupportedError, StateDirFullError} from './opening-errors.js';
import {findConfinement} from './os/confinement.js';
import {isForWantOfRoom, SystemDisk} from './os/disk.js';
import {EmbeddingHost} from './os/host.js';
import {ProcfsTable} from './os/process-table.js';
import {LocalProbe} from './os/readiness/local-probe.js';
import {openStateDirectory} from './os/state-directory.js';
import {SystemClock} from './os/system-clock.js';
import {TreeTerminator} from './os/terminator.js';
import {FileOutputLog} from './output/output-log.js';
import {OutputLimits} from './output-limits.js';
import {Outputs} from './outputs.js';
import type {Archive, Confinement, Disk, EventStore, Logger, ProcessStore} from './ports.js';
import {Queries} from './queries.js';
import {ReadinessWatch} from './readiness-watch.js';
import {Reaper} from './reaper.js';
import {RecordWatch} from './record-watch.js';
import {Recovery} from './recovery.js';
import {Retention} from './retention.js';
import {type PortOverrides, parseSettings, type SupervisorOptions} from './settings.js';
import {SqliteArchive} from './sqlite/archive.js';
import {openDatabase, readMigrations} from './sqlite/database.js';
import {SqliteEventStore} from './sqlite/event-store.js';
import {takeOwnership} from './sqlite/owner-lock.js';
import {SqliteProcessStore} from './sqlite/process-store.js';
import {ProcessSupervisor} from './supervisor.js';
import {Termination} from './termination.js';
import {
	container,
	type DependencyContainer,
	type InjectionToken,
	instanceCachingFactory,
	Lifecycle,
	Tokens,
} from './tokens.js';
import {Waits} from './waits.js';

/** Two directories up from dist/lib/. */
const packageRoot = new URL('../../', import.meta.url);
const migrationsDir = fileURLToPath(new URL('migrations/', packageRoot));
const keeperScript = fileURLToPath(new URL('lib/keeper/keeper.sh', packageRoot));

const silent = () => undefined;
const noLogger: Logger = {debug: silent, info: silent, warn: silent, error: silent};

const parts = [
	Admission,
	Deadlines,
	EventBus,
	EventFeed,
	InputQueue,
	Intake,
	Kills,
	Intents,
	Ledger,
	Leftovers,
	OutputLimits,
	Outputs,
	ProcessSupervisor,
	Queries,
	ReadinessWatch,
	Reaper,
	RecordWatch,
	Recovery,
	Retention,
	Termination,
	Waits,
];

/**
 * Puts one supervisor together, in a container of its own. The state directory is taken and the database open
 * afterwards; nothing runs yet.
 *
 * @throws {SettingsInvalidError}
 * @throws {PlatformUnsupportedError}
 * @throws {BashMissingError}
 * @throws {StateDirMissingError}
 * @throws {StateDirUnsafeError}
 * @throws {StateDirInUseError}
 * @throws {SchemaTooNewError}
 */
export function compose(options: SupervisorOptions): DependencyContainer {
	if (process.platform !== 'linux') {
		throw new PlatformUnsupportedError(process.platform);
	}

	const settings = parseSettings(options);
	const programs = findPrograms();
	const logger = options.logger ?? noLogger;
	const stateDir = openStateDirectory(options.stateDir);
	const lock = takeOwnership(stateDir);
	let stores: Stores | null = null;
	try {
		stores = openStores(stateDir, logger);
		const child = container.createChildContainer();
		child.registerInstance(Tokens.stateDir, stateDir);
		child.registerInstance(Tokens.workingDir, resolve(options.workingDir ?? '.'));
		child.registerInstance(Tokens.settings, settings);
		child.registerInstance(Tokens.logger, logger);
		child.registerInstance(Tokens.ownerLock, lock);
		child.registerInstance(Tokens.launcherPlace, {
			stateDir,
			keeperScript,
			programs,
			gracePeriodMs: settings.gracePeriodMs,
		});
		for (const part of parts) {
			child.register<object>(part, {useClass: part}, {lifecycle: Lifecycle.ContainerScoped});
		}

		const confinement = findConfinement(stateDir, settings.containment === 'auto', programs, logger);
		const disk = new SystemDisk(stateDir, programs.fallocate);
		registerPorts(child, {...stores, confinement, disk}, options.ports ?? {});
		// A part that cannot be built is to fail here, where the others are still let go of.
		child.resolve(ProcessSupervisor);
		return child;
	} catch (error) {
		stores?.store.close();
		lock.release();
		throw error;
	}
}

/** What a caller is told of a supervisor that could not be composed or opened. */
export function toOpeningError(error: unknown, options: SupervisorOptions): unknown {
	// Where the options are at fault there may be none.
	if (error instanceof SupervisorError) {
		return error;
	}

	const {stateDir} = options;
	return isForWantOfRoom(error, stateDir) ? new StateDirFullError(stateDir, {cause: error}) : error;
}

interface Stores {
	readonly store: ProcessStore;
	readonly events: EventStore;
	readonly archive: Archive;
}

/** All in one database, which is closed with the first. */
function openStores(stateDir: string, logger: Logger): Stores {
	const path = join(stateDir, 'nohupd.db');
	const {database, rebuildMark} = openDatabase(path, readMigrations(migrationsDir), logger);
	const events = new SqliteEventStore(database);
	return {
		store: new SqliteProcessStore(database, events, rebuildMark),
		events,
		archive: new SqliteArchive(database, events),
	};
}

interface OpenedPorts extends Stores {
	readonly confinement: Confinement;
	readonly disk: Disk;
}

function registerPorts(child: DependencyContainer, opened: OpenedPorts, ports: PortOverrides): void {
	const port = <T>(token: InjectionToken<T>, make: () => T, override: ((original: T) => T) | undefined) => {
		const factory = instanceCachingFactory(() => (override ?? same)(make()));
		child.register(token, {useFactory: factory});
	};
	const from =
		<T>(part: InjectionToken<T>) =>
		() =>
			child.resolve(part);
	port(Tokens.archive, () => opened.archive, ports.archive);
	port(Tokens.clock, from(SystemClock), ports.clock);
	port(Tokens.confinement, () => opened.confinement, ports.confinement);
	port(Tokens.disk, () => opened.disk, ports.disk);
	port(Tokens.events, () => opened.events, ports.events);
	port(Tokens.host, from(EmbeddingHost), ports.host);
	port(Tokens.input, from(FifoInput), ports.input);
	port(Tokens.launcher, from(KeeperLauncher), ports.launcher);
	port(Tokens.output, from(FileOutputLog), ports.output);
	port(Tokens.processTable, from(ProcfsTable), ports.processTable);
	port(Tokens.readinessProbe, from(LocalProbe), ports.readinessProbe);
	port(Tokens.store, () => opened.store, ports.store);
	port(Tokens.terminator, from(TreeTerminator), ports.terminator);
}

function same<T>(original: T): T {
	return original;
}
