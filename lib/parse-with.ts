import * as v from 'valibot';
import {CommandInvalidError} from './errors.js';
import {suggest} from './nearest.js';

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

export function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const shownLength = 80;

export function shorten(value: string): string {
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
