import {Readable} from 'node:stream';
import test, {type ExecutionContext} from 'ava';
import {type OutputChunk, ProcessNotFoundError} from '../../lib/index.js';
import {receiveEvents} from '../helpers/event-source.js';
import {aChunk, FakeOutput} from '../helpers/fake-output.js';
import {aProcess, mint, openServer} from '../helpers/http-server.js';

const ended = {...aProcess({status: 'completed', exitCode: 0}), usage: null};

/** All events of a process that wrote these chunks. */
async function receive(t: ExecutionContext, chunks: OutputChunk[], query = '', headers: Record<string, string> = {}) {
	const output = new FakeOutput(Buffer.alloc(0), {chunks});
	const {port} = await openServer(t, {output: () => output, get: async () => ended});
	const url = `http://127.0.0.1:${port}/execute/processes/proc_1/stream${query}`;
	const events = await Readable.from(receiveEvents(t, url, await mint(), headers)).toArray();
	const {signal, ...followed} = output.followed ?? {};
	return {events, followed};
}

const end = (id: string) => ({id, event: 'end'});

test('both streams come as events, each with how far both were shown, and the process at its end', async t => {
	const {events, followed} = await receive(t, [
		aChunk('stdout', 0, 'out\n'),
		aChunk('stderr', 0, 'err\n'),
		aChunk('stdout', 4, 'more'),
	]);

	t.deepEqual(events.slice(0, 3), [
		{id: 'stdout:4,stderr:0', event: 'stdout', data: {offset: 0, text: 'out\n'}},
		{id: 'stdout:4,stderr:4', event: 'stderr', data: {offset: 0, text: 'err\n'}},
		{id: 'stdout:8,stderr:4', event: 'stdout', data: {offset: 4, text: 'more'}},
	]);
	t.like(events[3], {...end('stdout:8,stderr:4'), data: {process_id: 'proc_1', status: 'completed', exit_code: 0}});
	t.deepEqual(followed, {stream: undefined, from: {stdout: 0, stderr: 0}});
});

test('whoever comes back goes on where it was', async t => {
	const chunks = [aChunk('stdout', 120, 'x')];

	for (const [query, headers] of [
		['?stream=stdout&from=stdout:120,stderr:45', {}],
		['?stream=stdout', {'last-event-id': 'stdout:120,stderr:45'}],
		['?stream=stdout&from=stdout:1', {'last-event-id': 'stderr:45,stdout:120'}],
	] as const) {
		const {events, followed} = await receive(t, chunks, query, headers);

		t.deepEqual(followed, {stream: 'stdout', from: {stdout: 120, stderr: 45}});
		t.like(events[0], {id: 'stdout:121,stderr:45', data: {offset: 120, text: 'x'}});
	}
});

test('a character in two chunks comes whole', async t => {
	const euro = Buffer.from('€');

	const {events} = await receive(t, [
		aChunk('stdout', 0, Buffer.concat([Buffer.from('a'), euro.subarray(0, 2)])),
		aChunk('stderr', 0, 'b'),
		aChunk('stdout', 3, Buffer.concat([euro.subarray(2), Buffer.from('c')])),
	]);

	t.deepEqual(events.slice(0, 3), [
		{id: 'stdout:1,stderr:0', event: 'stdout', data: {offset: 0, text: 'a'}},
		{id: 'stdout:1,stderr:1', event: 'stderr', data: {offset: 0, text: 'b'}},
		{id: 'stdout:5,stderr:1', event: 'stdout', data: {offset: 1, text: '€c'}},
	]);
});

test('what is not UTF-8 comes as base64, also what waited for its rest in vain', async t => {
	const {events} = await receive(t, [
		aChunk('stdout', 0, Buffer.from([0x61, 0xff, 0x62])),
		aChunk('stdout', 3, Buffer.from([0x63, 0xe2, 0x82])),
	]);

	t.deepEqual(events.slice(0, 3), [
		{id: 'stdout:3,stderr:0', event: 'stdout', data: {offset: 0, text: 'Yf9i', encoding: 'base64'}},
		{id: 'stdout:4,stderr:0', event: 'stdout', data: {offset: 3, text: 'c'}},
		{id: 'stdout:6,stderr:0', event: 'stdout', data: {offset: 4, text: '4oI=', encoding: 'base64'}},
	]);
});

test('a gap is told, and what waited before it is not lost', async t => {
	const {events} = await receive(t, [
		aChunk('stdout', 0, Buffer.from([0x61, 0xe2])),
		aChunk('stdout', 100, 'after', 2),
		aChunk('stdout', 200, '', 105),
	]);

	t.deepEqual(events.slice(0, 5), [
		{id: 'stdout:1,stderr:0', event: 'stdout', data: {offset: 0, text: 'a'}},
		{id: 'stdout:2,stderr:0', event: 'stdout', data: {offset: 1, text: '4g==', encoding: 'base64'}},
		{id: 'stdout:100,stderr:0', event: 'gap', data: {stream: 'stdout', from: 2, to: 100}},
		{id: 'stdout:105,stderr:0', event: 'stdout', data: {offset: 100, text: 'after'}},
		{id: 'stdout:200,stderr:0', event: 'gap', data: {stream: 'stdout', from: 105, to: 200}},
	]);
});

const refuses = test.macro({
	async exec(t, query: string, headers: Record<string, string>, field: string) {
		const {ask} = await openServer(t, {get: async () => ended});

		t.like(await ask('GET', `/execute/processes/proc_1/stream${query}`, {headers}), {status: 400, json: {field}});
	},
	title: (_, query, headers) => `refused: ${query || JSON.stringify(headers)}`,
});

test(refuses, '?stream=stdin', {}, 'stream');
test(refuses, '?from=12', {}, 'from');
test(refuses, '?from=stdout:1,stdout:2', {}, 'from');
test(refuses, '', {'last-event-id': 'nonsense'}, 'Last-Event-ID');

test('a process that is not known is told before anything else', async t => {
	const get = async () => {
		throw new ProcessNotFoundError('proc_1');
	};
	const {ask} = await openServer(t, {get});

	t.like(await ask('GET', '/execute/processes/proc_1/stream'), {status: 404, json: {code: 'RESOURCE_NOT_FOUND'}});
});
