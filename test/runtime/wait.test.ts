import {connect} from 'node:net';
import test from 'ava';
import {ProcessNotFoundError, ShuttingDownError, type Supervisor, WaitAbortedError} from '../../lib/index.js';
import {eventually} from '../helpers/eventually.js';
import {aProcess, mint, openServer} from '../helpers/http-server.js';

const path = '/execute/processes/proc_1/wait';

/** A supervisor with one process that ends when the test says so. */
function waiting() {
	let isOver = false;
	const state = {
		waits: 0,
		aborted: 0,
		end: () => {
			isOver = true;
		},
		supervisor: {
			wait: (processId, {signal} = {}) =>
				new Promise((resolve, reject) => {
					state.waits++;
					state.end = () => {
						isOver = true;
						resolve(aProcess({processId, status: 'completed'}));
					};
					const abort = () => {
						state.aborted++;
						reject(new WaitAbortedError(processId));
					};
					signal?.addEventListener('abort', abort);
				}),
			get: async (processId, {tailBytes} = {}) => ({
				...aProcess({processId, status: isOver ? 'completed' : 'running', stdout: `tail ${tailBytes}`}),
				usage: null,
			}),
		} satisfies Partial<Supervisor>,
	};
	return state;
}

test('it answers with the process once it has ended', async t => {
	const world = waiting();
	const {ask} = await openServer(t, world.supervisor);
	const answer = ask('GET', path);
	await eventually(() => world.waits === 1);

	world.end();

	t.like(await answer, {status: 200, json: {process_id: 'proc_1', status: 'completed', stdout: 'tail 65536'}});
	t.is(world.aborted, 0);
});

test('after the timeout it answers with the process as it is', async t => {
	const world = waiting();
	const {ask} = await openServer(t, world.supervisor);

	const answer = await ask('GET', `${path}?timeout=0.01&tail_bytes=5`);

	t.like(answer, {status: 200, json: {status: 'running', stdout: 'tail 5'}});
	t.is(world.aborted, 1);
});

test('a client that leaves ends the wait', async t => {
	const world = waiting();
	const {port} = await openServer(t, world.supervisor);
	const socket = connect(port, '127.0.0.1');
	socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${await mint()}\r\n\r\n`);
	await eventually(() => world.waits === 1);

	socket.destroy();

	t.true(await eventually(() => world.aborted === 1));
});

test('a daemon that shuts down answers who waits: it runs on', async t => {
	const world = waiting();
	const {ask, server} = await openServer(t, world.supervisor);
	const answer = ask('GET', path);
	await eventually(() => world.waits === 1);

	await server.drain(60_000);

	t.like(await answer, {status: 200, json: {status: 'running'}});
});

test('what the library refuses is refused', async t => {
	const refusals = [new ProcessNotFoundError('proc_1'), new ShuttingDownError()];
	const {ask} = await openServer(t, {wait: () => Promise.reject(refusals.shift())});

	t.is((await ask('GET', path)).status, 404);
	t.is((await ask('GET', path)).status, 503);
});

const refuses = test.macro(async (t, target: string, status: number, field?: string) => {
	const {ask} = await openServer(t);

	const answer = await ask('GET', target);

	t.deepEqual([answer.status, answer.json['field']], [status, field]);
});

test('a timeout above an hour is refused', refuses, `${path}?timeout=3601`, 400, 'timeout');
test('a timeout that is no number is refused', refuses, `${path}?timeout=soon`, 400, 'timeout');
test('a parameter that nobody knows is refused', refuses, `${path}?patience=5`, 400, 'patience');
test('what cannot be an id is nobody', refuses, '/execute/processes/..%2f/wait', 404);
