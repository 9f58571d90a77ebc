/** The OpenAPI document, from the routes and the schemas that check requests. Loaded when somebody asks for it. */
import {Problem, type ProblemCode, statusByCode} from '../problem.js';
import type {Route} from '../router.js';
import {agentOperations} from './agent-operations.js';
import {commandOperations} from './command-operations.js';
import {environmentOperations} from './environment-operations.js';
import {asJsonSchema, type JsonSchema} from './json-schema.js';
import type {Operation, Operations} from './operation.js';
import {processOperations} from './process-operations.js';
import {processId, processSchemas} from './process-schemas.js';
import {streamOperations} from './stream-operations.js';
import {bytes, eventSchemas} from './stream-schemas.js';
import {integer, object, reference, text} from './words.js';

export const operations: Operations = {
	...commandOperations,
	...processOperations,
	...streamOperations,
	...environmentOperations,
	...agentOperations,
};

/** OpenAPI 3.1. @throws {Error} for a route that is not described. */
export function buildDocument(routes: readonly Route[], version: string): object {
	const paths: Record<string, Record<string, object>> = {};
	for (const route of routes) {
		const operation = operations[`${route.method} ${route.path}`];
		if (operation === undefined) {
			throw new Error(`${route.method} ${route.path} is not described`);
		}

		paths[route.path] = {...paths[route.path], [route.method.toLowerCase()]: describe(route, operation)};
	}

	return {
		openapi: '3.1.0',
		info: {
			title: 'nohupd',
			version,
			summary: 'Background shell commands that nothing can lose.',
			description:
				'Where there is GET, there is HEAD, and OPTIONS everywhere. Any other method than those of a path is answered with 405, METHOD_NOT_ALLOWED and the header Allow.',
			license: {name: 'MIT', identifier: 'MIT'},
		},
		servers: [{url: '/'}],
		tags: ['Commands', 'Processes', 'Output', 'Events', 'Environment', 'Daemon'].map(name => ({name})),
		paths,
		components: {
			schemas: {...processSchemas, ...eventSchemas, Problem: problemSchema},
			securitySchemes: {token: {type: 'http', scheme: 'bearer', bearerFormat: 'JWT'}},
		},
	};
}

function describe(route: Route, operation: Operation): object {
	const {id, tag, summary, description, body, answer, answerType = 'application/json', example} = operation;
	const {asBytes} = operation;
	const inBytes = asBytes === undefined ? {} : {'application/octet-stream': {schema: bytes, example: asBytes}};
	return {
		operationId: id,
		tags: [tag],
		summary,
		...(description === undefined ? {} : {description}),
		// Of a token, the words that its scope must have.
		security: route.scope === 'public' ? [] : [{token: [route.scope]}],
		parameters: parameters(route, operation),
		...(body === undefined ? {} : {requestBody: requestBody(operation)}),
		responses: {
			200: {description: 'Done.', content: {[answerType]: {schema: answer, example: example.answer}, ...inBytes}},
			...(asBytes === undefined ? {} : {206: {description: 'The part that Range asked for.', content: inBytes}}),
			...refusals(route, operation),
		},
	};
}

function parameters({path}: Route, {query, headers = {}, fields, example}: Operation): object[] {
	const inPath = path.includes('{process_id}')
		? [{name: 'process_id', in: 'path', required: true, schema: processId, description: 'Which process.'}]
		: [];
	const {properties = {}} = query === undefined ? {} : asJsonSchema(query);
	// Where it stands in the path already, the query has nothing to add.
	const inQuery = Object.entries(properties).filter(([name]) => inPath.length === 0 || name !== 'process_id');
	return [
		...inPath,
		...inQuery.map(([name, schema]) => ({
			name,
			in: 'query',
			schema,
			description: fields?.[name],
			...(example.query?.[name] === undefined ? {} : {example: toTyped(example.query[name], schema as JsonSchema)}),
		})),
		...Object.entries(headers).map(([name, text]) => ({
			name,
			in: 'header',
			schema: {type: 'string'},
			description: text,
		})),
	];
}

function toTyped(value: string, {type}: JsonSchema): string | number {
	return type === 'integer' || type === 'number' ? Number(value) : value;
}

function requestBody({body, isBodyOptional = false, takesBytes = false, fields, example}: Operation): object {
	const {properties = {}, ...schema} = body === undefined ? {} : asJsonSchema(body);
	const described = Object.entries(properties).map(([name, property]) => [
		name,
		{...(property as JsonSchema), description: fields?.[name]},
	]);
	const content = {
		schema: {...schema, properties: Object.fromEntries(described), additionalProperties: false},
		...(example.body === undefined ? {} : {example: example.body}),
	};
	const inBytes = takesBytes ? {'application/octet-stream': {schema: bytes}} : {};
	return {required: !isBodyOptional, content: {'application/json': content, ...inBytes}};
}

const ofAll: readonly ProblemCode[] = ['INVALID_REQUEST', 'INTERNAL_ERROR', 'SERVICE_UNAVAILABLE'];
const ofClosed: readonly ProblemCode[] = ['AUTHENTICATION_REQUIRED', 'INVALID_TOKEN', 'FORBIDDEN'];
const ofBodies: readonly ProblemCode[] = ['PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'REQUEST_TIMEOUT'];

/** Responses by status; some statuses have several codes. */
function refusals({path, scope}: Route, {body, problems = []}: Operation): object {
	const codes = [
		...ofAll,
		...(scope === 'public' ? [] : ofClosed),
		...(body === undefined ? [] : ofBodies),
		...(path.includes('{process_id}') ? (['RESOURCE_NOT_FOUND'] as const) : []),
		...problems,
	];
	const statuses = new Set(codes.map(code => statusByCode[code]));
	const codesOf = (status: number) => [...new Set(codes)].filter(code => statusByCode[code] === status);
	return Object.fromEntries([...statuses].sort().map(status => [status, refusal(codesOf(status))]));
}

function refusal(codes: readonly ProblemCode[]): object {
	const examples = codes.map(code => [code, {value: new Problem(code, sentences[code]).envelope('req_0123456789')}]);
	return {
		description: codes.map(code => sentences[code]).join(' Or: '),
		content: {'application/json': {schema: reference('Problem'), examples: Object.fromEntries(examples)}},
	};
}

const sentences: Readonly<Record<ProblemCode, string>> = {
	INVALID_REQUEST: 'timeout must be a whole number of seconds, 0 or more; got -1.',
	AUTHENTICATION_REQUIRED: 'A token is required.',
	INVALID_TOKEN: 'The token is not valid.',
	FORBIDDEN: 'This token may not start commands: its scope lacks start.',
	RESOURCE_NOT_FOUND: 'No process with id proc_0.',
	METHOD_NOT_ALLOWED: 'PUT is not allowed here.',
	REQUEST_TIMEOUT: 'The request took too long to arrive.',
	CONFLICT: 'It is not so that this can be done: the key was used for another command, or the process still runs.',
	PAYLOAD_TOO_LARGE: 'The body must be at most 8388608 bytes.',
	UNSUPPORTED_MEDIA_TYPE: 'The body must be JSON.',
	RANGE_NOT_SATISFIABLE: 'Bytes before 4096 have been dropped.',
	QUEUE_FULL: 'As many run and wait as may.',
	HEADERS_TOO_LARGE: 'The headers are too large.',
	INTERNAL_ERROR: 'Something went wrong inside nohupd.',
	SERVICE_UNAVAILABLE: 'nohupd is shutting down; commands that run go on.',
	INSUFFICIENT_STORAGE: 'There is no room left in the state directory.',
};

const problemSchema: JsonSchema = object(
	{
		error: text('Why, as a sentence.'),
		message: text('The same: official clients read one or the other.'),
		code: text('For programs.', {enum: Object.keys(statusByCode)}),
		request_id: text('Also in the header x-request-id, and in the log.'),
		field: text('The field that is wrong.'),
		taken_bytes: integer('How much of an input was taken before the rest was refused.'),
	},
	['field', 'taken_bytes'],
);
