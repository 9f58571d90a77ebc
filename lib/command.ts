/** Which commands are accepted, in the library's spelling and in that of the HTTP API. */
import {resolve} from 'node:path';
import * as v from 'valibot';
import {CommandInvalidError} from './errors.js';
import {suggest} from './nearest.js';
import type {Command, LeftoverPolicy, LimitName, Limits, Readiness} from './process.js';
import {type ReadyBody, type ReadyInput, readyBodySchema, readyInputSchema} from './readiness-input.js';
import {wellFormed} from './well-formed.js';

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

/** The variable that marks every descendant of a process as ours (its cookie). */
export const cookieName = 'NOHUPD_PROCESS_ID';

/** execve(2): one string is at most MAX_ARG_STRLEN, 131,072 bytes with its terminating NUL. */
export const maxArgumentBytes = 131_071;

const maxNameLength = 256;
// 68 years: far from any overflow in milliseconds, centiseconds and in bash.
const maxTimeoutSeconds = 2_147_483_647;

const text = (problem = 'must be a string') =>
	v.pipe(
		v.string(problem),
		v.check(value => !value.includes('\0'), 'must not contain a NUL character'),
		wellFormed,
	);

const fitsArgument = (value: string) => Buffer.byteLength(value) <= maxArgumentBytes;
const tooLong = `must be at most ${maxArgumentBytes} bytes (execve(2))`;

const wholeNumber = (unit: string, max: number) =>
	v.pipe(
		v.number(`must be a whole number of ${unit}`),
		v.integer(`must be a whole number of ${unit}`),
		v.minValue(0, `must be a whole number of ${unit}, 0 or more`),
		v.maxValue(max, `must be at most ${max} ${unit}`),
	);

const directory = v.pipe(text('must be a path'), v.nonEmpty('must not be empty'));

// Not v.record(): that drops the names "constructor" and "prototype", and a variable may be called so.
const environment = v.pipe(
	v.custom<Record<string, string>>(isObject, 'must be an object of strings'),
	v.rawCheck(({dataset, addIssue}) => {
		if (!dataset.typed) {
			return;
		}

		for (const [name, value] of Object.entries(dataset.value)) {
			const message = problemWithVariable(name, value);
			if (message !== null) {
				addIssue({
					message,
					input: value,
					path: [
						{
							type: 'object',
							origin: 'value',
							input: dataset.value,
							key: name,
							value,
						},
					],
				});
				return;
			}
		}
	}),
);

function problemWithVariable(name: string, value: unknown): string | null {
	if (typeof value !== 'string') {
		return 'must be a string';
	}

	if (name === '' || name.includes('=') || name.includes('\0') || !name.isWellFormed()) {
		return 'is no name for a variable: it must not be empty nor contain "=", NUL or lone surrogates';
	}

	if (name === cookieName) {
		return 'is reserved: nohupd sets it to the id of the process';
	}

	if (value.includes('\0') || !value.isWellFormed()) {
		return 'must not contain a NUL character or lone surrogates';
	}

	return fitsArgument(`${name}=${value}`) ? null : tooLong;
}

const sharedFields = {
	command: v.pipe(
		text(),
		v.check(value => value.trim() !== '', 'must not be blank'),
	),
	args: v.optional(v.array(v.pipe(text(), v.check(fitsArgument, tooLong)), 'must be an array of strings')),
	env: v.optional(environment),
	stdin: v.optional(v.boolean('must be true or false')),
	leftover: v.optional(v.picklist(['keep', 'kill'], 'must be keep or kill')),
	name: v.optional(
		v.pipe(
			text(),
			v.maxLength(maxNameLength, `must be at most ${maxNameLength} characters`),
			v.check(value => !/\p{Cc}/u.test(value), 'must not contain control characters'),
		),
	),
};

const positive = (unit: string, min: number) =>
	v.optional(
		v.pipe(
			v.number(`must be a whole number of ${unit}`),
			v.safeInteger(`must be a whole number of ${unit}`),
			v.minValue(min, `must be at least ${min} ${unit}`),
		),
	);

// Below these not even bash starts.
const memory = positive('bytes', 1_048_576);
const pids = positive('processes', 1);
const cpu = positive('percent', 1);
const bestEffort = v.optional(v.boolean('must be true or false'));

// An array would pass for an object.
const limitsOf = <Entries extends v.ObjectEntries>(entries: Entries) =>
	v.optional(
		v.pipe(
			v.custom<Record<string, unknown>>(isObject, 'must be an object of limits'),
			v.strictObject(
				entries,
				({input}) => `is not a known limit; ${suggest(shorten(String(input)), Object.keys(entries))}`,
			),
		),
	);

/** Schema of `CommandInput`. */
export const commandInputSchema = v.object({
	...sharedFields,
	timeoutMs: v.optional(wholeNumber('milliseconds', maxTimeoutSeconds * 1000)),
	workingDir: v.optional(directory),
	limits: limitsOf({memoryBytes: memory, pids, cpuPercent: cpu, bestEffort}),
	ready: readyInputSchema,
});

/** Schema of `CommandBody`, the body of `POST /commands/background`. */
export const commandBodySchema = v.object({
	...sharedFields,
	timeout: v.optional(wholeNumber('seconds', maxTimeoutSeconds)),
	working_dir: v.optional(directory),
	workdir: v.optional(directory),
	limits: limitsOf({memory_bytes: memory, pids, cpu_percent: cpu, best_effort: bestEffort}),
	ready: readyBodySchema,
});

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

type FieldSchemas = Record<string, v.GenericSchema>;

/**
 * Parses `input` and turns the first problem into an error that names the field and the value.
 * An unknown field is an error too, and is told with the nearest known one.
 */
export function parseWith<Fields extends FieldSchemas>(
	schema: v.ObjectSchema<Fields, undefined>,
	input: unknown,
): v.InferOutput<v.ObjectSchema<Fields, undefined>> {
	if (!isObject(input)) {
		throw new CommandInvalidError('', `must be an object; got ${show(input)}`);
	}

	const known = Object.keys(schema.entries);
	const unknown = Object.keys(input).find(key => !known.includes(key));
	if (unknown !== undefined) {
		throw new CommandInvalidError(shorten(unknown), `is not a known field; ${suggest(unknown, known)}`);
	}

	const parsed = v.safeParse(schema, input, {abortEarly: true});
	if (parsed.success) {
		return parsed.output;
	}

	const [issue] = parsed.issues;
	const path = issue.path?.map(item => String(item.key)) ?? [];
	if (issue.input === undefined) {
		throw new CommandInvalidError(path.join('.'), 'is missing');
	}

	if (issue.expected === 'never') {
		throw new CommandInvalidError(shorten(path.join('.')), issue.message);
	}

	// Environment values are secrets: they are never repeated, also where all came as one string.
	const isSecret = path[0] === 'env' && (path.length > 1 || typeof issue.input === 'string');
	const given = isSecret ? typeof issue.input : show(issue.input);
	throw new CommandInvalidError(shorten(path.join('.')), `${issue.message}; got ${given}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const shownLength = 80;

function shorten(value: string): string {
	return value.length > shownLength ? `${value.slice(0, shownLength)}…` : value;
}

/** A value as an error repeats it: short, on one line. */
export function show(value: unknown): string {
	if (typeof value === 'string') {
		return JSON.stringify(shorten(value));
	}

	if (Array.isArray(value)) {
		return `an array of ${value.length}`;
	}

	return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
