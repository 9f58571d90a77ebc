import {constants} from 'node:os';
import * as v from 'valibot';
import type {
	EventsOptions,
	FollowOptions,
	GetOptions,
	KillOptions,
	ListOptions,
	ProcessDetails,
	ProcessPage,
	ProcessWithOutput,
	ReadOptions,
	StartOptions,
	WaitOptions,
	WriteOptions,
} from './api.js';
import {ProcessNotFoundError, QueryInvalidError} from './errors.js';
import {eventTypes} from './events.js';
import type {Clock, Confinement, OutputLog, ProcessStore} from './ports.js';
import type {Figures, ProcessId, ProcessRecord} from './process.js';
import type {PublicStatus} from './process-view.js';
import {outputStreams} from './streams.js';
import {Termination} from './termination.js';
import {inject, injectable, Tokens} from './tokens.js';
import {Views} from './views.js';
import {wellFormed} from './well-formed.js';

const statuses = ['queued', 'running', 'completed', 'failed', 'killed'] as const satisfies readonly PublicStatus[];
/** Lists let others have their turn after each so many processes. */
const processesAtOnce = 50;
const maxKeyLength = 255;
const maxOwnerLength = 4096;

const whole = (min: number, max: number) => {
	const problem = `must be a whole number from ${min} to ${max}`;
	return v.pipe(v.number(problem), v.safeInteger(problem), v.minValue(min, problem), v.maxValue(max, problem));
};

const ownerSchema = v.pipe(
	v.string('must be a string'),
	v.minLength(1, 'must not be empty'),
	v.maxLength(maxOwnerLength, `must be at most ${maxOwnerLength} characters`),
	wellFormed,
);

/** One that was misspelt would be taken for one that was not given. */
function options<Entries extends v.ObjectEntries>(entries: Entries) {
	return v.strictObject(entries, ({expected}) =>
		expected === 'never'
			? `is not known here; known are ${Object.keys(entries).join(', ')}`
			: 'must be an object of options',
	);
}

const getSchema = options({tailBytes: v.optional(whole(0, 1_048_576), 65_536)});

const listSchema = options({
	status: v.optional(v.picklist(statuses, `must be one of ${statuses.join(', ')}`)),
	name: v.optional(v.string('must be a string')),
	owner: v.optional(ownerSchema),
	limit: v.optional(whole(1, 1000), 1000),
	cursor: v.optional(v.pipe(v.string('must be a string'), v.regex(/^\d{1,15}$/, 'must be the cursor of another page'))),
	tailBytes: v.optional(whole(0, 65_536), 8192),
});

const streamSchema = v.picklist(outputStreams, 'must be stdout or stderr');
const maxReadBytes = 1_048_576;
const offsetSchema = whole(0, Number.MAX_SAFE_INTEGER);

const readSchema = options({
	stream: v.optional(streamSchema, 'stdout'),
	offset: v.optional(offsetSchema),
	tail: v.optional(whole(0, maxReadBytes)),
	limit: v.optional(whole(1, maxReadBytes)),
});

const followSchema = options({
	stream: v.optional(streamSchema),
	from: v.optional(options({stdout: v.optional(offsetSchema, 0), stderr: v.optional(offsetSchema, 0)}), {}),
	signal: v.optional(v.instance(AbortSignal, 'must be an AbortSignal')),
});

const signalSchema = v.custom<NodeJS.Signals>(
	value => typeof value === 'string' && Object.hasOwn(constants.signals, value),
	'must be the name of a signal, for instance SIGHUP',
);

const killSchema = options({
	gracePeriodMs: v.optional(whole(0, 24 * 60 * 60 * 1000)),
	signal: v.optional(signalSchema),
});

const eventsSchema = options({
	after: v.optional(whole(0, Number.MAX_SAFE_INTEGER)),
	processId: v.optional(v.string('must be a string')),
	owner: v.optional(v.string('must be a string')),
	types: v.optional(
		v.array(v.picklist(eventTypes, `must be of ${eventTypes.join(', ')}`), 'must be an array of names of events'),
	),
	signal: v.optional(v.instance(AbortSignal, 'must be an AbortSignal')),
});

const waitSchema = options({
	signal: v.optional(v.instance(AbortSignal, 'must be an AbortSignal')),
});

const eventTypeSchema = v.object({type: v.picklist(eventTypes, `must be one of ${eventTypes.join(', ')}`)});

const startSchema = options({
	idempotencyKey: v.optional(
		v.pipe(
			v.string('must be a string'),
			v.minLength(1, 'must not be empty'),
			v.maxLength(maxKeyLength, `must be at most ${maxKeyLength} characters`),
		),
	),
	owner: v.optional(ownerSchema),
});

/** @throws {QueryInvalidError} */
export function parseKillOptions(options: KillOptions): KillOptions {
	return parse(killSchema, options);
}

/** @throws {QueryInvalidError} */
export function parseSignal(signal: unknown): NodeJS.Signals {
	return parse(v.object({signal: signalSchema}), {signal}).signal;
}

const writeSchema = options({
	close: v.optional(v.boolean('must be true or false'), false),
	timeoutMs: v.optional(whole(0, 10 * 60 * 1000), 10_000),
});

const dataSchema = v.union(
	[v.pipe(v.string(), wellFormed), v.instance(Uint8Array)],
	'must be a string or a Uint8Array',
);

/** @throws {QueryInvalidError} */
export function parseWriteOptions(options: WriteOptions): {close: boolean; timeoutMs: number} {
	return parse(writeSchema, options);
}

/** @throws {QueryInvalidError} */
export function parseInput(data: unknown): Uint8Array {
	const input = parse(v.object({data: dataSchema}), {data}).data;
	return typeof input === 'string' ? Buffer.from(input) : input;
}

/** @throws {QueryInvalidError} */
export function parseEventsOptions(options: EventsOptions): EventsOptions {
	return parse(eventsSchema, options);
}

/** @throws {QueryInvalidError} */
export function parseWaitOptions(options: WaitOptions): WaitOptions {
	return parse(waitSchema, options);
}

/** @throws {QueryInvalidError} for what is no name of an event: its listener would never be called. */
export function assertEventType(type: unknown): void {
	parse(eventTypeSchema, {type});
}

/** @throws {QueryInvalidError} */
export function parseStartOptions(options: StartOptions): StartOptions {
	return parse(startSchema, options);
}

/** @throws {QueryInvalidError} */
export function parseReadOptions(options: ReadOptions) {
	const {limit, ...where} = parse(readSchema, options);
	if (where.offset !== undefined && where.tail !== undefined) {
		throw new QueryInvalidError('tail', 'cannot be given together with offset');
	}

	return {...where, limit: limit ?? where.tail ?? 65_536};
}

/** @throws {QueryInvalidError} */
export function parseFollowOptions(options: FollowOptions) {
	return parse(followSchema, options);
}

function parse<Schema extends v.GenericSchema>(schema: Schema, options: unknown): v.InferOutput<Schema> {
	const parsed = v.safeParse(schema, options, {abortEarly: true});
	if (!parsed.success) {
		const [issue] = parsed.issues;
		const given = typeof issue.input === 'string' ? JSON.stringify(issue.input.slice(0, 80)) : String(issue.input);
		const problem = issue.expected === 'never' ? issue.message : `${issue.message}; got ${given}`;
		throw new QueryInvalidError(v.getDotPath(issue) ?? 'options', problem);
	}

	return parsed.output;
}

/** Shows processes with the end of their output. */
@injectable()
export class Queries {
	readonly #views: Views;

	constructor(
		@inject(Tokens.store) private readonly store: ProcessStore,
		@inject(Tokens.confinement) private readonly confinement: Confinement,
		@inject(Tokens.output) output: Pick<OutputLog, 'tail'>,
		@inject(Tokens.clock) clock: Pick<Clock, 'uptimeMs' | 'monotonicMs'>,
		@inject(Termination) private readonly termination: Pick<Termination, 'current'>,
	) {
		this.#views = new Views(output, clock);
	}

	/** @throws {ProcessNotFoundError} */
	find(processId: ProcessId): ProcessRecord {
		const process = typeof processId === 'string' ? this.store.find(processId) : null;
		if (process === null) {
			throw new ProcessNotFoundError(String(processId));
		}

		return this.termination.current(process);
	}

	get(processId: ProcessId, options: GetOptions): ProcessDetails {
		const {tailBytes} = parse(getSchema, options);
		const process = this.find(processId);
		return {...this.#views.show(process, tailBytes), usage: this.#usage(process)};
	}

	#usage(process: ProcessRecord): Figures | null {
		const {state} = process;
		if (state.status !== 'ended') {
			return this.confinement.figures(process);
		}

		return state.usage && {...state.usage, memoryBytes: null, processes: state.leftover};
	}

	async list(options: ListOptions): Promise<ProcessPage> {
		const {status, name, owner, limit, cursor, tailBytes} = parse(listSchema, options);
		const before = cursor === undefined ? undefined : Number(cursor);
		// One more than asked for tells whether there is another page.
		const found = this.store.list({status, name, owner, before, limit: limit + 1});
		const page = found.slice(0, limit);
		const processes: ProcessWithOutput[] = [];
		for (const [index, process] of page.entries()) {
			if (index % processesAtOnce === processesAtOnce - 1) {
				await new Promise(resolve => setImmediate(resolve));
			}

			processes.push(this.#views.show(this.termination.current(process), tailBytes));
		}

		return {processes, nextCursor: found.length > limit ? String(page.at(-1)?.sequence) : null};
	}
}
