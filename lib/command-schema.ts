/** What the fields of a command may be: one schema for the library's spelling and one for that of the HTTP API. */
import * as v from 'valibot';
import {suggest} from './nearest.js';
import {isObject, shorten} from './parse-with.js';
import {readyBodySchema, readyInputSchema} from './readiness-input.js';
import {wellFormed} from './well-formed.js';

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

export const fitsArgument = (value: string) => Buffer.byteLength(value) <= maxArgumentBytes;
export const tooLong = `must be at most ${maxArgumentBytes} bytes (execve(2))`;

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
