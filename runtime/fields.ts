import * as v from 'valibot';
import {suggest} from './nearest.js';
import {Problem} from './problem.js';
import {printable} from './shown-text.js';

/**
 * Checks the fields of a body or a query string.
 * @param kind - What a field is called in a sentence: `field`, or `query parameter`.
 * @throws {Problem} 400 that names the first field that is unknown or wrong.
 */
export function parseFields<Entries extends v.ObjectEntries>(
	kind: string,
	schema: v.ObjectSchema<Entries, undefined>,
	input: object,
): v.InferOutput<v.ObjectSchema<Entries, undefined>> {
	const known = Object.keys(schema.entries);
	const unknown = Object.keys(input).find(name => !known.includes(name));
	if (unknown !== undefined) {
		const field = printable(unknown);
		throw new Problem('INVALID_REQUEST', `${field} is not a known ${kind}; ${suggest(field, known)}`, {field});
	}

	const parsed = v.safeParse(schema, input, {abortEarly: true});
	if (parsed.success) {
		return parsed.output;
	}

	const [issue] = parsed.issues;
	const field = v.getDotPath(issue) ?? '';
	if (issue.input === undefined) {
		throw new Problem('INVALID_REQUEST', `${field} is missing`, {field});
	}

	throw new Problem('INVALID_REQUEST', `${field} ${issue.message}; got ${show(issue.input)}`, {field});
}

/** @throws {Problem} 400 for a body that is none, or not an object. */
export function asObject(body: unknown): object {
	if (body === undefined) {
		throw new Problem('INVALID_REQUEST', 'The body is missing: send an object as JSON');
	}

	if (typeof body !== 'object' || body === null || Array.isArray(body)) {
		throw new Problem('INVALID_REQUEST', `The body must be an object; got ${show(body)}`);
	}

	return body;
}

/** @throws {Problem} 400 as `parseFields`, and for a parameter that is given twice. */
export function parseQuery<Entries extends v.ObjectEntries>(
	schema: v.ObjectSchema<Entries, undefined>,
	query: URLSearchParams,
): v.InferOutput<v.ObjectSchema<Entries, undefined>> {
	const names = [...query.keys()];
	const repeated = names.find((name, index) => names.indexOf(name) !== index);
	if (repeated !== undefined) {
		const field = printable(repeated);
		throw new Problem('INVALID_REQUEST', `${field} is given more than once`, {field});
	}

	return parseFields('query parameter', schema, Object.fromEntries(query));
}

/** @throws {Problem} 400 where a query is not read: what it says was meant. */
export function refuseQuery(query: URLSearchParams): void {
	parseQuery(v.object({}), query);
}

function show(value: unknown): string {
	if (typeof value === 'object' && value !== null) {
		return Array.isArray(value) ? 'an array' : 'an object';
	}

	return typeof value === 'string' ? JSON.stringify(printable(value)) : String(value);
}
