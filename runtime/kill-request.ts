import * as v from 'valibot';
import {asObject, parseFields, parseQuery} from './fields.js';
import {Problem} from './problem.js';
import {assertProcessId} from './process-id.js';
import {secondsAsMs, toMs} from './text-schemas.js';

/** What a request to kill asks for. */
export interface KillRequest {
	readonly processId: string;
	/** `undefined`: the supervisor's. */
	readonly gracePeriodMs: number | undefined;
	/** What it is asked to end with; `undefined`: SIGTERM. The library knows the names. */
	readonly signal: NodeJS.Signals | undefined;
}

const maxGracePeriod = 24 * 60 * 60;
const graceProblem = `must be a number of seconds from 0 to ${maxGracePeriod}`;

// What cannot be an id is told as one that nobody has, wherever it stands.
const processId = v.pipe(v.string('must be a string'), v.nonEmpty('must not be empty'));

const signal = v.pipe(
	v.string('must be a string'),
	v.transform(name => name as NodeJS.Signals),
);

export const killQuerySchema = v.object({
	process_id: v.optional(processId),
	grace_period: v.optional(secondsAsMs(maxGracePeriod)),
	signal: v.optional(signal),
});

export const killBodySchema = v.object({
	process_id: v.optional(processId),
	signal: v.optional(signal),
	grace_period: v.optional(
		v.pipe(
			v.number(graceProblem),
			v.minValue(0, graceProblem),
			v.maxValue(maxGracePeriod, graceProblem),
			v.transform(toMs),
		),
	),
});

/**
 * Reads the forms that official clients send: the id in the path, in the query or in the body.
 * @throws {Problem} 400 where something is missing, unknown or said in two ways; 404 for what cannot be an id.
 */
export function parseKillRequest(pathId: string | undefined, query: URLSearchParams, body: unknown): KillRequest {
	const inQuery = parseQuery(killQuerySchema, query);
	const inBody = parseFields('field', killBodySchema, body === undefined ? {} : asObject(body));
	const processId = theOne('process_id', [pathId, inQuery.process_id, inBody.process_id]);
	if (processId === undefined) {
		throw new Problem('INVALID_REQUEST', 'process_id is missing', {field: 'process_id'});
	}

	assertProcessId(processId);
	return {
		processId,
		gracePeriodMs: theOne('grace_period', [inQuery.grace_period, inBody.grace_period]),
		signal: theOne('signal', [inQuery.signal, inBody.signal]),
	};
}

function theOne<T>(field: string, given: readonly (T | undefined)[]): T | undefined {
	const [first, ...others] = given.filter(value => value !== undefined);
	if (others.some(value => value !== first)) {
		throw new Problem('INVALID_REQUEST', `${field} is given twice, with different values`, {field});
	}

	return first;
}
