import * as v from 'valibot';
import {suggest} from './nearest.js';
import {SettingsInvalidError} from './opening-errors.js';
import type {
	Archive,
	Clock,
	Confinement,
	Disk,
	EventStore,
	Host,
	InputPipe,
	Launcher,
	Logger,
	OutputLog,
	ProcessStore,
	ProcessTable,
	ReadinessProbe,
	Terminator,
} from './ports.js';

/** How a supervisor is set up. Every field but `stateDir` has a default that works. */
export interface SupervisorOptions {
	/** Holds everything that must survive; made if it is missing. One supervisor at a time owns it. */
	readonly stateDir: string;
	/** Processes that run at the same time; more wait in a queue. Default: no limit but the machine's. */
	readonly maxRunning?: number | undefined;
	/** Processes that wait; one more is refused with `QueueFullError`. Default: 1,000. */
	readonly maxQueued?: number | undefined;
	/** Time between SIGTERM and SIGKILL in milliseconds. Default: 5,000. */
	readonly gracePeriodMs?: number | undefined;
	/** Allowed running time of a command that names none, in milliseconds; 0: no limit. Default: 300,000. */
	readonly defaultTimeoutMs?: number | undefined;
	/** The longest running time a command may ask for, in milliseconds. Default: any, also none at all. */
	readonly maxTimeoutMs?: number | undefined;
	/** Where commands run that name no directory. Default: the program's own when the supervisor is created. */
	readonly workingDir?: string | undefined;
	/**
	 * `auto` (the default) holds each process in a cgroup (v2) of its own where the machine lets us make one, and by
	 * session, group and cookie elsewhere; `session` never makes a cgroup.
	 */
	readonly containment?: 'auto' | 'session' | undefined;
	/** How much of what commands write is kept. The oldest bytes are dropped first; no command is held up for it. */
	readonly output?: OutputOptions | undefined;
	/** How long ended processes are remembered. Those that run are never forgotten. */
	readonly retention?: RetentionOptions | undefined;
	/** Told of problems that have no caller. Default: nobody. */
	readonly logger?: Logger | undefined;
	/** Parts to use in place of our own. */
	readonly ports?: PortOverrides | undefined;
}

/** Bounds on what commands write. */
export interface OutputOptions {
	/** Of each stream at most so many bytes are kept. Default: 67,108,864 (64 MiB). */
	readonly maxStreamBytes?: number | undefined;
	/**
	 * Of all streams together. Ended processes are forgotten for it, the oldest end first; what those that run have
	 * written is dropped once it alone is more. Default: 2,147,483,648 (2 GiB).
	 */
	readonly maxTotalBytes?: number | undefined;
	/** While less is free on the disk, commands are refused with `StorageFullError`. Default: 33,554,432 (32 MiB). */
	readonly reserveBytes?: number | undefined;
}

/**
 * Ended processes are forgotten, the oldest end first, as soon as one of these is exceeded: row, idempotency key and
 * output. `Infinity`: no bound.
 */
export interface RetentionOptions {
	/** Since the end, in milliseconds. Default: 604,800,000 (7 days). */
	readonly maxAgeMs?: number | undefined;
	/** So many are remembered. Default: 10,000. */
	readonly maxEnded?: number | undefined;
}

/** Each part can be replaced; it is given the one it replaces, to wrap it or not. */
export interface PortOverrides {
	/** Keeps ended processes. */
	readonly archive?: (original: Archive) => Archive;
	/** Tells the time and wakes. */
	readonly clock?: (original: Clock) => Clock;
	/** Holds processes together. */
	readonly confinement?: (original: Confinement) => Confinement;
	/** Remembers events. */
	readonly events?: (original: EventStore) => EventStore;
	/** Remembers processes. */
	readonly store?: (original: ProcessStore) => ProcessStore;
	/** Runs commands. */
	readonly launcher?: (original: Launcher) => Launcher;
	/** Ends process trees. */
	readonly terminator?: (original: Terminator) => Terminator;
	/** Gives commands their input. */
	readonly input?: (original: InputPipe) => InputPipe;
	/** Finds out when commands are ready. */
	readonly readinessProbe?: (original: ReadinessProbe) => ReadinessProbe;
	/** Shows output. */
	readonly output?: (original: OutputLog) => OutputLog;
	/** Knows how much room there is, and gives some back. */
	readonly disk?: (original: Disk) => Disk;
	/** Knows who is alive. */
	readonly processTable?: (original: ProcessTable) => ProcessTable;
	/** Knows what commands inherit and where they may run. */
	readonly host?: (original: Host) => Host;
}

export interface Settings {
	/** `Infinity`: no limit. */
	readonly maxRunning: number;
	readonly maxQueued: number;
	readonly gracePeriodMs: number;
	readonly defaultTimeoutMs: number;
	readonly maxTimeoutMs: number | null;
	readonly containment: 'auto' | 'session';
	readonly output: OutputBounds;
	readonly retention: RetentionBounds;
}

export interface OutputBounds {
	readonly maxStreamBytes: number;
	readonly maxTotalBytes: number;
	readonly reserveBytes: number;
}

/** `Infinity`: no bound. */
export interface RetentionBounds {
	readonly maxAgeMs: number;
	readonly maxEnded: number;
}

const day = 24 * 60 * 60 * 1000;
const year = 365 * day;

const whole = (min: number, max: number) =>
	v.pipe(
		v.number('must be a number'),
		v.safeInteger('must be a whole number'),
		v.minValue(min, `must be at least ${min}`),
		v.maxValue(max, `must be at most ${max}`),
	);

const mebibyte = 1024 * 1024;
const pebibyte = 2 ** 50;

/** One that was misspelt would be taken for one that was not given. */
const strict = <Entries extends v.ObjectEntries>(entries: Entries) =>
	v.strictObject(entries, ({expected, input}) =>
		expected === 'never'
			? `is not a known setting; ${suggest(String(input), Object.keys(entries))}`
			: 'must be an object of settings',
	);

const outputSchema = strict({
	maxStreamBytes: v.optional(whole(65_536, pebibyte), 64 * mebibyte),
	maxTotalBytes: v.optional(whole(mebibyte, pebibyte), 2048 * mebibyte),
	reserveBytes: v.optional(whole(0, pebibyte), 32 * mebibyte),
});

const bound = v.union(
	[v.literal(Number.POSITIVE_INFINITY), whole(0, Number.MAX_SAFE_INTEGER)],
	'must be a whole number, 0 or more',
);

const retentionSchema = strict({
	maxAgeMs: v.optional(bound, 7 * day),
	maxEnded: v.optional(bound, 10_000),
});

const port = v.optional(v.function('must be a function that is given the part it replaces'));

const portsSchema = strict({
	archive: port,
	clock: port,
	confinement: port,
	events: port,
	store: port,
	launcher: port,
	terminator: port,
	input: port,
	readinessProbe: port,
	output: port,
	disk: port,
	processTable: port,
	host: port,
} satisfies Readonly<Record<keyof PortOverrides, typeof port>>);

const settingsSchema = strict({
	stateDir: v.unknown(),
	workingDir: v.optional(v.string('must be the path of a directory')),
	logger: v.optional(v.unknown()),
	ports: v.optional(portsSchema),
	maxRunning: v.optional(
		v.union([v.literal(Number.POSITIVE_INFINITY), whole(1, 1_000_000)], 'must be a whole number, 1 or more'),
		Number.POSITIVE_INFINITY,
	),
	maxQueued: v.optional(whole(0, 1_000_000), 1000),
	gracePeriodMs: v.optional(whole(0, 24 * 60 * 60 * 1000), 5000),
	defaultTimeoutMs: v.optional(whole(0, 68 * year), 300_000),
	maxTimeoutMs: v.optional(v.nullable(whole(1, 68 * year)), null),
	output: v.optional(outputSchema, {}),
	containment: v.optional(v.picklist(['auto', 'session'], 'must be auto or session'), 'auto'),
	retention: v.optional(retentionSchema, {}),
});

/** @throws {SettingsInvalidError} names the setting and the value. */
export function parseSettings(options: SupervisorOptions): Settings {
	const parsed = v.safeParse(settingsSchema, options, {abortEarly: true});
	if (!parsed.success) {
		const [issue] = parsed.issues;
		const given = issue.expected === 'never' ? '' : `; got ${String(issue.input)}`;
		throw new SettingsInvalidError(v.getDotPath(issue) ?? 'options', `${issue.message}${given}`);
	}

	const {stateDir, workingDir: _, logger: __, ports: ___, ...settings} = parsed.output;
	if (typeof stateDir !== 'string' || stateDir === '' || stateDir.includes('\0')) {
		throw new SettingsInvalidError('stateDir', 'must be the path of a directory');
	}

	return settings;
}
