import {connect} from 'node:net';
import {Readable} from 'node:stream';
import test from 'ava';
import type {ServerSentEvent} from '../../runtime/event-stream.js';
import type {Call, Route} from '../../runtime/router.js';
import {receiveEvents} from '../helpers/event-source.js';
import {eventually} from '../helpers/eventually.js';
import {mint, openServer} from '../helpers/http-server.js';

function streaming(events: (call: Call) => AsyncIterable<ServerSentEvent>): Route[] {
	return [{method: 'GET', path: '/stream', scope: 'read', handle: call => ({events: events(call)})}];
}

/** Ends when the client has left. */
async function* untilGone({gone}: Call, onEnd: () => void): AsyncGenerator<ServerSentEvent> {
	yield {data: {}};
	await new Promise(resolve => gone.addEventListener('abort', resolve));
	onEnd();
}

test('events come with id, type and data, whatever is in them', async t => {
	const data = {text: 'two\nlines\r\n\n: and "quotes"'};
	const events = [{id: '1', event: 'said', data}, {data: {}}];
	const {port} = await openServer(t, {}, {routes: streaming(() => toAsync(events))});

	const received = await Readable.from(receiveEvents(t, `http://127.0.0.1:${port}/stream`, await mint())).toArray();

	t.deepEqual(received, [
		{id: '1', event: 'said', data},
		{id: null, event: null, data: {}},
	]);
});

test('HEAD tells what would come, and ends', async t => {
	const {ask} = await openServer(t, {}, {routes: streaming(() => toAsync([{data: {}}]))});

	const {status, headers, text} = await ask('HEAD', '/stream');

	t.deepEqual([status, headers['content-type'], text], [200, 'text/event-stream', '']);
});

test('whoever makes the events is told when the client has left', async t => {
	let ends = 0;
	const {port} = await openServer(t, {}, {routes: streaming(call => untilGone(call, () => ends++))});

	for await (const _ of receiveEvents(t, `http://127.0.0.1:${port}/stream`, await mint())) {
		break;
	}

	await eventually(() => ends === 1);
	t.is(ends, 1);
});

test('a server that shuts down ends its streams, and is not held up by them', async t => {
	let ends = 0;
	const {port, server} = await openServer(t, {}, {routes: streaming(call => untilGone(call, () => ends++))});
	const stream = receiveEvents(t, `http://127.0.0.1:${port}/stream`, await mint());
	await stream.next();

	await server.drain(60_000);

	t.true((await stream.next()).done);
	t.is(ends, 1);
});

test('a client that takes nothing is not written to without end', async t => {
	let made = 0;
	async function* many() {
		for (; made < 10_000; made++) {
			yield {data: {text: 'x'.repeat(10_000)}};
		}
	}

	const {port, ask} = await openServer(t, {}, {routes: [...streaming(many), ping]});
	const socket = connect(port, '127.0.0.1').pause();
	t.teardown(() => socket.destroy());
	socket.write(`GET /stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${await mint()}\r\n\r\n`);

	// It stands still once the buffers of both sides are full.
	let before = -1;
	await eventually(async () => {
		await ask('GET', '/ping');
		const hasStopped = made === before && made > 0;
		before = made;
		return hasStopped;
	});
	t.true(made < 5000);
});

const ping: Route = {method: 'GET', path: '/ping', scope: 'public', handle: () => ({json: {}})};

async function* toAsync<T>(items: readonly T[]): AsyncGenerator<T> {
	yield* items;
}
