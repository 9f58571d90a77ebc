/** Which commands are accepted, in the library's spelling and in that of the HTTP API. */
import {resolve} from 'node:path';
import {commandBodySchema, commandInputSchema, fitsArgument, tooLong} from './command-schema.js';
import {CommandInvalidError} from './errors.js';
import {parseWith, show} from './parse-with.js';
import type {Command, LeftoverPolicy, LimitName, Limits, Readiness} from './process.js';
import type {ReadyBody, ReadyInput} from './readiness-input.js';

/** What a caller of the library asks for. */
export interface CommandInput {
	/** Run by `bash -c`; with `args`, the program itself, without a shell. */
	readonly command: string;
	/** Arguments of the program, each at most 131,071 bytes. */
	readonly args?: readonly string[] | undefined;
	/** Allowed running time in milliseconds; 0 means without limit. Default: the supervisor's, 300,000. */
	readonly timeoutMs?: number | undefined;
	/** Must exist; a relative path starts at the supervisor's own directory, which is the default. */
	readonly workingDir?: string | undefined;
	/** Added to the supervisor's environment, wins over it. */
	readonly env?: Readonly<Record<string, string>> | undefined;
	/** For people; need not be unique. At most 256 characters. */
	readonly name?: string | undefined;
	/**
	 * What becomes of descendants that outlive the command: `keep` (the default) leaves them until its timeout or
	 * a kill, `kill` ends them at once.
	 */
	readonly leftover?: LeftoverPolicy | undefined;
	/** What the whole tree may use. Needs cgroup containment with the controllers; see `bestEffort`. */
	readonly limits?: Limits | undefined;
	/** Whether standard input is a pipe, for `write` and `closeInput`. Default: false, it is empty. */
	readonly stdin?: boolean | undefined;
	/** How it shows that it can do what it was started for; see `ready`. Default: nobody watches for it. */
	readonly ready?: ReadyInput | undefined;
}

/** `Limits` in the spelling of the HTTP API. */
export interface LimitsBody {
	/** Memory of all together; what needs more is ended by the kernel (`oom`). */
	readonly memory_bytes?: number | undefined;
	/** Processes and threads at a time. */
	readonly pids?: number | undefined;
	/** Of one processor: 150 is one and a half. */
	readonly cpu_percent?: number | undefined;
	/** Start also where a limit cannot be held. Default: false, the start is refused. */
	readonly best_effort?: boolean | undefined;
}

/** A command in the spelling of the HTTP API: seconds, and `working_dir` or `workdir`. */
export interface CommandBody extends Omit<CommandInput, 'timeoutMs' | 'workingDir' | 'limits' | 'ready'> {
	/** Allowed running time in seconds; 0 means without limit. */
	readonly timeout?: number | undefined;
	/** Must exist; a relative path starts at the supervisor's own directory, which is the default. */
	readonly working_dir?: string | undefined;
	/** The same, as the official clients spell it. Only one of the two may be given. */
	readonly workdir?: string | undefined;
	/** What the whole tree may use. */
	readonly limits?: LimitsBody | undefined;
	/** How it shows that it can do what it was started for. */
	readonly ready?: ReadyBody | undefined;
}

/** What fills in for fields that were not given, and the facts that a command is checked against. */
export interface CommandDefaults {
	readonly timeoutMs: number;
	/** `null`: without limit. */
	readonly maxTimeoutMs: number | null;
	/** Absolute path. */
	readonly workingDir: string;
	/** Limits that hold here. */
	readonly limits: ReadonlySet<LimitName>;
	/** Ends a sentence that the directory's field begins, or `null` where a command may run there. */
	problemWithDirectory(path: string): string | null;
}

export interface ParsedCommand {
	readonly command: Command;
	readonly env: ReadonlyMap<string, string>;
}

/**
 * Checks what a caller of the library asked for, and fills in the defaults.
 * @throws {CommandInvalidError} names the field and the value.
 */
export function parseCommand(input: unknown, defaults: CommandDefaults): ParsedCommand {
	const {workingDir, timeoutMs, limits, ...shared} = parseWith(commandInputSchema, input);
	const given = {
		timeout: {field: 'timeoutMs', value: timeoutMs, unitMs: 1},
		directory: {field: 'workingDir', value: workingDir},
		limits: {
			names: {
				memoryBytes: 'memoryBytes',
				pids: 'pids',
				cpuPercent: 'cpuPercent',
			},
			value: limits,
		},
	};
	return complete(shared, given, defaults);
}

/**
 * The same for a JSON body of the HTTP API.
 * @throws {CommandInvalidError} names the field and the value.
 */
export function parseCommandBody(input: unknown, defaults: CommandDefaults): ParsedCommand {
	const {working_dir, workdir, timeout, limits, ...shared} = parseWith(commandBodySchema, input);
	if (working_dir !== undefined && workdir !== undefined) {
		throw new CommandInvalidError('workdir', 'is another spelling of working_dir: give one of them');
	}

	const given = {
		timeout: {field: 'timeout', value: timeout, unitMs: 1000},
		directory: workdir === undefined ? {field: 'working_dir', value: working_dir} : {field: 'workdir', value: workdir},
		limits: {
			names: {
				memoryBytes: 'memory_bytes',
				pids: 'pids',
				cpuPercent: 'cpu_percent',
			},
			value: limits && {
				memoryBytes: limits.memory_bytes,
				pids: limits.pids,
				cpuPercent: limits.cpu_percent,
				bestEffort: limits.best_effort,
			},
		},
	};
	return complete(shared, given, defaults);
}

interface Given<T> {
	/** As the caller spells it. */
	readonly field: string;
	readonly value: T | undefined;
}

interface GivenTimeout extends Given<number> {
	readonly unitMs: number;
}

interface GivenLimits {
	/** As the caller spells them. */
	readonly names: Readonly<Record<LimitName, string>>;
	readonly value: Limits | undefined;
}

interface GivenFields {
	readonly timeout: GivenTimeout;
	readonly directory: Given<string>;
	readonly limits: GivenLimits;
}

function checkLimits({names, value}: GivenLimits, available: ReadonlySet<LimitName>): Limits | null {
	const asked = (Object.keys(names) as LimitName[]).filter(name => value?.[name] !== undefined);
	if (value === undefined || asked.length === 0) {
		return null;
	}

	for (const name of asked) {
		if (value.bestEffort !== true && !available.has(name)) {
			throw new CommandInvalidError(
				`limits.${names[name]}`,
				'cannot be held on this machine: it needs a cgroup v2 controller that nohupd may use',
			);
		}
	}

	return value;
}

function resolveTimeout({field, value, unitMs}: GivenTimeout, {timeoutMs, maxTimeoutMs}: CommandDefaults): number {
	if (maxTimeoutMs === null) {
		return value === undefined ? timeoutMs : value * unitMs;
	}

	if (value === undefined) {
		return timeoutMs === 0 ? maxTimeoutMs : Math.min(timeoutMs, maxTimeoutMs);
	}

	if (value === 0 || value * unitMs > maxTimeoutMs) {
		throw new CommandInvalidError(field, `must be between 1 and ${maxTimeoutMs / unitMs} here; got ${value}`);
	}

	return value * unitMs;
}

interface SharedFields extends Pick<CommandInput, 'command' | 'args' | 'env' | 'name' | 'leftover' | 'stdin'> {
	readonly ready?: Readiness | undefined;
}

function complete(
	{command, args, env, name, leftover, stdin, ready}: SharedFields,
	{timeout, directory, limits}: GivenFields,
	defaults: CommandDefaults,
): ParsedCommand {
	const timeoutMs = resolveTimeout(timeout, defaults);
	const workingDir = resolve(defaults.workingDir, directory.value ?? '.');
	const problem = defaults.problemWithDirectory(workingDir);
	if (problem !== null) {
		throw new CommandInvalidError(directory.field, `${problem}: ${show(workingDir)}`);
	}

	if (args !== undefined && !fitsArgument(command)) {
		throw new CommandInvalidError('command', `${tooLong} where args are given`);
	}

	return {
		command: {
			line: command,
			args: args ?? null,
			workingDir,
			name: name ?? null,
			timeoutMs,
			leftover: leftover ?? 'keep',
			limits: checkLimits(limits, defaults.limits),
			stdin: stdin ?? false,
			ready: ready ?? null,
		},
		env: new Map(Object.entries(env ?? {})),
	};
}
