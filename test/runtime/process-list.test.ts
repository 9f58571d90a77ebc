import {once} from 'node:events';
import {request as httpRequest, type IncomingMessage} from 'node:http';
import test from 'ava';
import type {ListOptions, ProcessPage, ProcessWithOutput, Supervisor} from '../../lib/index.js';
import {ProcessList} from '../../runtime/process-list.js';
import type {Answer} from '../../runtime/router.js';
import {eventually} from '../helpers/eventually.js';
import {aProcess, mint, openServer} from '../helpers/http-server.js';

/** Lists as many processes as there are, newest first; a cursor is the number of the last one seen. */
function lister(total: number, facts: Partial<ProcessWithOutput> = {}) {
	const calls: ListOptions[] = [];
	const supervisor: Partial<Supervisor> = {
		list: async (options = {}) => {
			calls.push(options);
			const first = Number(options.cursor ?? total + 1) - 1;
			const length = Math.min(options.limit ?? 1000, first);
			const processes = Array.from({length}, (_, index) => aProcess({...facts, processId: `proc_${first - index}`}));
			return {processes, nextCursor: first > length ? String(first - length + 1) : null};
		},
	};
	return {calls, supervisor};
}

interface ListJson {
	readonly processes: readonly {readonly process_id: string; readonly leftover: number}[];
	readonly count: number;
	readonly next_cursor?: string;
}

async function textOf(answer: Answer): Promise<string> {
	if ('text' in answer) {
		return Buffer.from(answer.text).toString();
	}

	let text = '';
	for await (const piece of 'pieces' in answer ? answer.pieces : []) {
		text += piece;
	}

	return text;
}

async function read(total: number, query: string) {
	const {calls, supervisor} = lister(total);
	const answer = await new ProcessList(Date.now).answer(supervisor as Supervisor, new URLSearchParams(query));
	const {processes, ...rest}: ListJson = JSON.parse(await textOf(answer));
	return {ids: processes.map(({process_id}) => process_id), rest, calls};
}

test('an empty list', async t => {
	const {ids, rest} = await read(0, '');

	t.deepEqual(ids, []);
	t.deepEqual(rest, {count: 0});
});

test('a list that is whole has no cursor', async t => {
	const {ids, rest} = await read(3, '');

	t.deepEqual(ids, ['proc_3', 'proc_2', 'proc_1']);
	t.deepEqual(rest, {count: 3});
});

test('a list that goes on says where', async t => {
	const {ids, rest} = await read(5, 'limit=2');

	t.deepEqual(ids, ['proc_5', 'proc_4']);
	t.deepEqual(rest, {count: 2, next_cursor: '4'});
	t.deepEqual((await read(5, 'limit=2&cursor=4')).ids, ['proc_3', 'proc_2']);
});

test('each page says what is so at the moment, however often a list was asked for before', async t => {
	const two = [aProcess({processId: 'proc_2', status: 'completed', endedAt: 5}), aProcess({processId: 'proc_1'})];
	const changed = {...(two[0] as ProcessWithOutput), leftover: 1};
	const answers: ProcessPage[] = [
		{processes: two, nextCursor: null},
		{processes: two, nextCursor: null},
		{processes: two, nextCursor: '1'},
		{processes: two.toReversed(), nextCursor: null},
		{processes: [changed], nextCursor: null},
		{processes: two.slice(0, 1), nextCursor: null},
		{processes: [], nextCursor: null},
	];
	const list = new ProcessList(Date.now);
	const seen: string[] = [];
	for (const page of answers) {
		const supervisor: Partial<Supervisor> = {list: async () => page};
		const {processes, next_cursor: next = ''}: ListJson = JSON.parse(
			await textOf(await list.answer(supervisor as Supervisor, new URLSearchParams('limit=2'))),
		);
		seen.push(`${processes.map(({process_id, leftover}) => `${process_id}:${leftover}`).join()} ${next}`);
	}

	t.deepEqual(seen, [
		'proc_2:0,proc_1:0 ',
		'proc_2:0,proc_1:0 ',
		'proc_2:0,proc_1:0 1',
		'proc_1:0,proc_2:0 ',
		'proc_2:1 ',
		'proc_2:0 ',
		' ',
	]);
});

test('without a limit there are at most 1,000, and none twice', async t => {
	const {ids, rest} = await read(1500, '');

	t.is(new Set(ids).size, 1000);
	t.deepEqual(rest, {count: 1000, next_cursor: '501'});
});

test('the longer the tails, the fewer processes are in memory at a time', async t => {
	const {ids, calls} = await read(40, 'tail_bytes=65536');

	t.is(ids.length, 40);
	t.true(calls.length > 1);
	t.true(calls.every(({limit = 1000, tailBytes}) => limit <= 16 && tailBytes === 65_536));
});

test('a client that stops reading holds back its own list only', async t => {
	const {calls, supervisor} = lister(1000, {stdout: 'x'.repeat(65_536), stderr: 'x'.repeat(65_536)});
	const {port, ask} = await openServer(t, supervisor);
	const authorization = `Bearer ${await mint()}`;
	const request = httpRequest({port, path: '/execute/processes?tail_bytes=65536', headers: {authorization}});
	request.end();
	const [response]: [IncomingMessage] = (await once(request, 'response')) as [IncomingMessage];
	t.teardown(() => response.destroy());

	// Nobody reads: once the buffers on the way are full, the supervisor is left alone.
	let seen = -1;
	await eventually(async () => {
		const before = seen;
		seen = calls.length;
		await ask('GET', '/ping');
		return seen > 0 && seen === before;
	});

	t.true(calls.length < 30, `${calls.length} slices of 67`);
	t.is((await ask('GET', '/execute/processes?limit=1&tail_bytes=0')).status, 200);
});

test('a list that fails in the middle is cut off, so that nobody takes it for whole', async t => {
	const {supervisor} = lister(1000);
	let calls = 0;
	const {ask, log} = await openServer(t, {
		list: async options => {
			calls++;
			if (calls > 1) {
				throw new Error('no disk');
			}

			return (supervisor as Supervisor).list(options);
		},
	});

	await t.throwsAsync(ask('GET', '/execute/processes'), {code: 'ECONNRESET'});
	t.regex(await eventually(() => log.join('')), /no disk/);
});
