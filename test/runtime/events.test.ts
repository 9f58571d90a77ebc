import {Readable} from 'node:stream';
import test, {type ExecutionContext} from 'ava';
import type {EventFeedItem, EventsOptions, Supervisor} from '../../lib/index.js';
import {ProcessNotFoundError, QueryInvalidError} from '../../lib/index.js';
import {receiveEvents} from '../helpers/event-source.js';
import {eventually} from '../helpers/eventually.js';
import {aProcess, mint, openServer} from '../helpers/http-server.js';

const at = Date.UTC(2026, 0, 1, 0, 1);
const process = aProcess({processId: 'proc_1', startedAt: at - 2500, stdout: 'hunter2'});

/** A supervisor that tells these events, and what it was asked for. */
function telling(...items: EventFeedItem[]) {
	const asked: EventsOptions[] = [];
	const supervisor: Partial<Supervisor> = {
		async *events(options: EventsOptions = {}) {
			asked.push(options);
			yield* items;
			return undefined;
		},
	};
	return {asked, supervisor};
}

async function receive(t: ExecutionContext, port: number, query = '', headers = {}) {
	return Readable.from(receiveEvents(t, `http://127.0.0.1:${port}/events${query}`, await mint(), headers)).toArray();
}

test('an event comes with its number, its type and its process, in the spelling of the API, without output', async t => {
	const {supervisor} = telling(
		{type: 'started', sequence: 7, at, process},
		{type: 'stopping', sequence: 8, at, process, why: 'timeout'},
	);
	const {port} = await openServer(t, supervisor);

	const [started, stopping] = await receive(t, port);

	t.like(started, {
		id: '7',
		event: 'started',
		data: {
			sequence: 7,
			at: '2026-01-01T00:01:00.000Z',
			type: 'started',
			process: {process_id: 'proc_1', status: 'running', command: 'sleep 60', execution_time: 2.5},
		},
	});
	t.like(stopping, {id: '8', event: 'stopping', data: {type: 'stopping', why: 'timeout'}});
	t.false(JSON.stringify([started, stopping]).includes('hunter2'));
});

test('a long command is cut: an event is no place for megabytes', async t => {
	const {supervisor} = telling({
		type: 'queued',
		sequence: 1,
		at,
		process: {...process, command: 'x'.repeat(5_000_000)},
	});
	const {port} = await openServer(t, supervisor);

	const [event] = await receive(t, port);

	t.true(JSON.stringify(event).length < 10_000);
});

test('a gap is told without a number of its own', async t => {
	const {supervisor} = telling({type: 'gap', from: 3, to: 9});
	const {port} = await openServer(t, supervisor);

	t.deepEqual(await receive(t, port), [{id: null, event: 'gap', data: {from: 3, to: 9}}]);
});

const asks = test.macro(async (t, query: string, headers: Record<string, string>, expected: EventsOptions) => {
	const {supervisor, asked} = telling();
	const {port} = await openServer(t, supervisor);

	await receive(t, port, query, headers);

	const [{signal, ...options} = {}] = asked;
	t.deepEqual(options, {after: undefined, processId: undefined, types: undefined, ...expected});
	t.true(signal instanceof AbortSignal);
});

test('who asks for nothing is told what comes', asks, '', {}, {});
test('the last number can be in the query', asks, '?after=0', {}, {after: 0});
test('the last number can be in the header', asks, '', {'last-event-id': '12'}, {after: 12});
test('a header that says nothing is none', asks, '?after=5', {'last-event-id': ''}, {after: 5});
test('who comes back to the address it began with goes on', asks, '?after=5', {'last-event-id': '12'}, {after: 12});
test(
	'process and types narrow it',
	asks,
	'?process_id=proc_1&type=ended,forgotten',
	{},
	{processId: 'proc_1', types: ['ended', 'forgotten']},
);

const refuses = test.macro(
	async (t, query: string, headers: Record<string, string>, status: number, field: string | undefined) => {
		const {supervisor, asked} = telling();
		const {ask} = await openServer(t, supervisor);

		const answer = await ask('GET', `/events${query}`, {headers});

		t.deepEqual([answer.status, answer.json['field']], [status, field]);
		t.deepEqual(asked, []);
	},
);

test('a number that is none is refused', refuses, '?after=-1', {}, 400, 'after');
test('a number that is too large to be one is refused', refuses, '?after=9999999999999999', {}, 400, 'after');
test('a header that is no number is refused', refuses, '', {'last-event-id': 'abc'}, 400, 'Last-Event-ID');
test('a type that nobody knows is refused', refuses, '?type=ended,output', {}, 400, 'type');
test('an empty type is refused', refuses, '?type=', {}, 400, 'type');
test('what cannot be an id is nobody', refuses, '?process_id=../x', {}, 404, undefined);
test('a parameter that nobody knows is refused', refuses, '?since=5', {}, 400, 'since');

test('what the library refuses is refused before the stream begins', async t => {
	const {ask} = await openServer(t, {
		events: () => {
			throw new QueryInvalidError('after', 'must be something else');
		},
	});

	t.like(await ask('GET', '/events?after=5'), {status: 400, json: {field: 'after'}});
});

test('without a token there are no events', async t => {
	const {ask} = await openServer(t, telling().supervisor);

	t.is((await ask('GET', '/events', {token: null})).status, 401);
});

test('a client that leaves ends its subscription', async t => {
	let isOver = false;
	const {port} = await openServer(t, {
		async *events({signal}: EventsOptions = {}) {
			yield {type: 'queued', sequence: 1, at, process} as const;
			await new Promise(resolve => signal?.addEventListener('abort', resolve));
			isOver = true;
			return undefined;
		},
	});

	for await (const _ of receiveEvents(t, `http://127.0.0.1:${port}/events`, await mint())) {
		break;
	}

	t.true(await eventually(() => isOver));
});

test('events of a process that is not known: 404, not a stream without an end', async t => {
	const {ask} = await openServer(t, {
		events: () => {
			throw new ProcessNotFoundError('proc_nobody');
		},
	});

	t.like(await ask('GET', '/events?process_id=proc_nobody'), {status: 404, json: {code: 'RESOURCE_NOT_FOUND'}});
});
