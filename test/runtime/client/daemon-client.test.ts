import {once} from 'node:events';
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {text} from 'node:stream/consumers';
import test, {type ExecutionContext} from 'ava';
import {DaemonClient} from '../../../runtime/client/daemon-client.js';
import {DaemonAwayError, RefusedError} from '../../../runtime/client/daemon-errors.js';
import {CannotError} from '../../../runtime/failure.js';
import {anId, aShownProcess} from '../../helpers/shown-process.js';

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

const id = anId('1');
const patience = {limitMs: 20_000, pauseMs: 1};

/** A client, and what answers it: one handler after the other, the last one from then on. */
async function openClient(t: ExecutionContext, ...handlers: Handler[]): Promise<DaemonClient> {
	const server = createServer((request, response) => {
		const [handler] = handlers.length > 1 ? handlers.splice(0, 1) : handlers;
		handler?.(request, response);
	}).listen(0, '127.0.0.1');
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	await once(server, 'listening');
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	return new DaemonClient(async () => ({url, token: 'the-token'}), patience);
}

const answering =
	(status: number, body: unknown): Handler =>
	(_, response) =>
		response.writeHead(status, {'content-type': 'application/json'}).end(JSON.stringify(body));
const breakingOff: Handler = request => request.socket.destroy();

test('a request has the token, and its body as JSON', async t => {
	const seen: unknown[] = [];
	const client = await openClient(t, async (request, response) => {
		const {method, url, headers} = request;
		seen.push(method, url, headers.authorization, headers['content-type'], JSON.parse(await text(request)));
		response.end('{"message":"killed"}');
	});

	t.is(await client.kill(id, 0), 'killed');

	t.deepEqual(seen, [
		'DELETE',
		'/execute/kill',
		'Bearer the-token',
		'application/json',
		{process_id: id, grace_period: 0},
	]);
});

test('a start that gets no answer is repeated under the same key', async t => {
	const keys: unknown[] = [];
	const noting =
		(handler: Handler): Handler =>
		(request, response) => {
			keys.push(request.headers['idempotency-key']);
			return handler(request, response);
		};
	const client = await openClient(
		t,
		noting(breakingOff),
		noting(answering(503, {error: 'The supervisor is shutting down'})),
		noting(answering(200, {process_id: id})),
	);

	t.is(await client.start({command: 'true'}), id);

	t.is(keys.length, 3);
	t.is(new Set(keys).size, 1);
	t.regex(String(keys[0]), /^[\w-]{36}$/);
});

test('a refusal has the sentence of the daemon, which cannot act upon the terminal', async t => {
	const client = await openClient(t, answering(400, {error: 'name \u001b[2J is wrong'}));

	await t.throwsAsync(client.start({command: 'true'}), {instanceOf: RefusedError, message: 'name \\x1b[2J is wrong'});
});

test('a token that is not taken is told with how to give another', async t => {
	const client = await openClient(t, answering(401, {error: 'The token is not valid'}));

	await t.throwsAsync(client.list({}), {message: /^The token is not valid: .* takes other tokens; .* --token$/});
});

test('something else that answers is told as that', async t => {
	const refusing = await openClient(t, (_, response) => response.writeHead(404).end('<h1>nginx</h1>'));
	await t.throwsAsync(refusing.get(id), {message: /answered 404, which is not like nohupd$/});

	const agreeing = await openClient(t, (_, response) => response.end('<h1>nginx</h1>'));
	await t.throwsAsync(agreeing.get(id), {instanceOf: CannotError, message: /is it nohupd/});

	const typed = await openClient(t, answering(200, {...aShownProcess(), exit_code: 'three'}));
	await t.throwsAsync(typed.get(id), {instanceOf: CannotError, message: /is it nohupd/});
});

test('an answer that is cut off is no answer', async t => {
	const client = await openClient(t, (_, response) => {
		response.writeHead(200, {'content-length': 1000});
		response.write('{"message"', () => response.destroy());
	});

	await t.throwsAsync(client.get(id), {instanceOf: DaemonAwayError});
});

test('nobody there is told at once', async t => {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const {port} = server.address() as AddressInfo;
	server.close();
	await once(server, 'close');
	const client = new DaemonClient(async () => ({url: `http://127.0.0.1:${port}`, token: ''}), patience);

	for (const ask of [client.wait(id), client.start({command: 'true'}), client.events({}).next()]) {
		await t.throwsAsync(ask, {instanceOf: DaemonAwayError, message: /^No daemon answers at http.*ECONNREFUSED/});
	}
});

test('a wait goes on until the process has ended, also where the daemon breaks off', async t => {
	const client = await openClient(
		t,
		answering(200, aShownProcess({status: 'queued'})),
		answering(200, aShownProcess()),
		breakingOff,
		answering(200, aShownProcess({status: 'failed', exit_code: 3})),
	);

	t.is((await client.wait(id)).exit_code, 3);
});

test('a list and a kill are asked for again where the daemon breaks off: twice does what once does', async t => {
	const away = [breakingOff, answering(503, {error: 'shutting down'})];
	const listing = await openClient(t, ...away, answering(200, {processes: []}));
	const killing = await openClient(t, ...away, answering(200, {message: 'killed'}));

	t.deepEqual((await listing.list({})).processes, []);
	t.is(await killing.kill(id), 'killed');
});

test('a signal is not: it may have been sent', async t => {
	const client = await openClient(t, breakingOff, answering(200, {message: 'sent'}));

	await t.throwsAsync(client.signal(id, 'SIGUSR1'), {instanceOf: DaemonAwayError});
});

test('a follow goes on where it broke off, and has each event once', async t => {
	const seen: unknown[] = [];
	const streaming =
		(...events: string[]): Handler =>
		({url, headers}, response) => {
			seen.push([url, headers['last-event-id']]);
			response.writeHead(200, {'content-type': 'text/event-stream'});
			// The last one is cut off in the middle.
			response.write(`${events.join('')}id: 9\nda`, () => response.destroy());
		};
	const client = await openClient(
		t,
		streaming('id: 1\ndata: a\n\n', 'data: b\n\n'),
		breakingOff,
		answering(503, {error: 'shutting down'}),
		streaming(),
		streaming('id: 2\ndata: c\n\n'),
	);

	const received: string[] = [];
	for await (const {data} of client.followOutput(id, 'stdout')) {
		received.push(data);
		if (data === 'c') {
			break;
		}
	}

	const path = `/execute/processes/${id}/stream?stream=stdout`;
	t.deepEqual(received, ['a', 'b', 'c']);
	t.deepEqual(seen, [
		[path, undefined],
		[path, '1'],
		[path, '1'],
	]);
});

test('a follow of what is not there ends with the refusal', async t => {
	const client = await openClient(t, answering(404, {error: 'No process with id x'}));

	await t.throwsAsync(client.followOutput(id).next(), {instanceOf: RefusedError, message: 'No process with id x'});
});
