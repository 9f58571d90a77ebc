import * as v from 'valibot';
import {commandBodySchema} from '../lib/index.js';
import type {EnvironmentFile, Variables} from './environment-file.js';
import {asObject, parseFields, refuseQuery} from './fields.js';
import {Problem} from './problem.js';
import type {Answer, Call, Route} from './router.js';

/** execve(2) gives arguments and environment about 2 MB together, and a command wants to bring some of its own. */
const maxBytes = 131_072;

const variables = commandBodySchema.entries.env.wrapped;

export const replaceSchema = v.object({env_vars: variables});

export const updateSchema = v.object({
	env_vars: variables,
	merge: v.optional(v.boolean('must be true or false'), true),
});

/** The variables that all commands share. */
export function environmentRoutes(file: EnvironmentFile): Route[] {
	const path = '/env';
	return [
		{method: 'GET', path, scope: 'admin', handle: call => answer(call, file)},
		{method: 'PUT', path, scope: 'admin', takesBody: true, handle: call => replace(call, file)},
		{method: 'PATCH', path, scope: 'admin', takesBody: true, handle: call => update(call, file)},
		{method: 'DELETE', path, scope: 'admin', handle: call => clear(call, file)},
	];
}

function answer({query}: Pick<Call, 'query'>, file: EnvironmentFile): Answer {
	refuseQuery(query);
	return {json: {env_vars: Object.fromEntries(file.variables)}};
}

async function replace(call: Call, file: EnvironmentFile): Promise<Answer> {
	const {env_vars: given} = parseBody(replaceSchema, await call.readBody());
	return store(call, file, new Map(Object.entries(given)));
}

async function update(call: Call, file: EnvironmentFile): Promise<Answer> {
	const {env_vars: given, merge} = parseBody(updateSchema, await call.readBody());
	return store(call, file, new Map([...(merge ? file.variables : []), ...Object.entries(given)]));
}

function clear(call: Call, file: EnvironmentFile): Answer {
	return store(call, file, new Map());
}

function store(call: Call, file: EnvironmentFile, variables: Variables): Answer {
	refuseQuery(call.query);
	const bytes = [...variables].reduce(
		(sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value),
		0,
	);
	if (bytes > maxBytes) {
		throw new Problem('INVALID_REQUEST', `env_vars must be at most ${maxBytes} bytes all together`, {
			field: 'env_vars',
		});
	}

	file.replace(variables);
	return answer(call, file);
}

function parseBody<Entries extends v.ObjectEntries>(schema: v.ObjectSchema<Entries, undefined>, body: unknown) {
	const fields = asObject(body);
	const given = 'env_vars' in fields ? v.safeParse(variables, fields.env_vars, {abortEarly: true}) : null;
	if (given?.success === false) {
		// Looked at apart from the rest, because a value must not be repeated.
		const [issue] = given.issues;
		const field = ['env_vars', v.getDotPath(issue)].filter(Boolean).join('.');
		throw new Problem('INVALID_REQUEST', `${field} ${issue.message}`, {field});
	}

	return parseFields('field', schema, fields);
}
