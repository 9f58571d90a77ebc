import {once} from 'node:events';
import {Agent, request as httpRequest} from 'node:http';
import {connect} from 'node:net';
import test from 'ava';
import {ShuttingDownError} from '../../lib/index.js';
import {eventually} from '../helpers/eventually.js';
import {aProcess, exchange, mint, openServer} from '../helpers/http-server.js';

const impatient = {headersMs: 500, requestMs: 1000, lookMs: 50};

/** What a raw answer says. */
function parse(answer: string) {
	const [head = '', body = ''] = answer.split('\r\n\r\n');
	const [line = '', ...headers] = head.split('\r\n');
	const names = new Map(headers.map(header => [header.split(':', 1)[0]?.toLowerCase(), header.split(': ', 2)[1]]));
	return {status: Number(line.split(' ')[1]), headers: names, json: JSON.parse(body) as Record<string, unknown>};
}

const answersRaw = test.macro(async (t, bytes: string, status: number, code: string) => {
	const {port, ask} = await openServer(t, {}, {patience: impatient});

	const answer = parse(await exchange(port, bytes));

	t.is(answer.status, status);
	t.is(answer.json['code'], code);
	t.is(answer.json['request_id'], answer.headers.get('x-request-id'));
	t.is(answer.headers.get('connection'), 'close');
	t.is((await ask('GET', '/ping')).status, 200);
});

test('what is no HTTP', answersRaw, 'hello\r\n\r\n', 400, 'INVALID_REQUEST');
test('no host', answersRaw, 'GET /ping HTTP/1.1\r\nconnection: close\r\n\r\n', 400, 'INVALID_REQUEST');
test(
	'two lengths that differ',
	answersRaw,
	'POST /commands/background HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n',
	400,
	'INVALID_REQUEST',
);
test(
	'a length and chunks',
	answersRaw,
	'POST /ping HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
	400,
	'INVALID_REQUEST',
);
test(
	'headers of 20 kB',
	answersRaw,
	`GET /ping HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`,
	431,
	'HEADERS_TOO_LARGE',
);
test('headers without an end', answersRaw, 'GET /ping HTTP/1.1\r\nhost: x\r\nx: y\r\n', 408, 'REQUEST_TIMEOUT');

test('whoever was let in at the last moment is still answered', async t => {
	const {port, server, ask} = await openServer(t);
	const socket = connect(port, '127.0.0.1').setEncoding('utf8');
	t.teardown(() => socket.destroy());
	await once(socket, 'connect');
	// The server takes connections in their order: afterwards it has the one above.
	await ask('GET', '/ping');

	const drained = server.drain(60_000);
	socket.write('GET /ping HTTP/1.1\r\nhost: x\r\n\r\n');
	let answer = '';
	socket.on('data', text => {
		answer += text;
	});
	await Promise.all([drained, once(socket, 'end')]);

	t.is(parse(answer).status, 503);
});

test('headers without an end are not waited for, however steadily they come', async t => {
	const {port, ask} = await openServer(t, {}, {patience: {...impatient, requestMs: 60_000}});
	const socket = connect(port, '127.0.0.1').setEncoding('utf8');
	t.teardown(() => socket.destroy());
	let answer = '';
	socket.on('data', chunk => {
		answer += chunk;
	});
	socket.write('GET /ping HTTP/1.1\r\nhost: x\r\n');

	await eventually(async () => {
		socket.write('x: y\r\n');
		await ask('GET', '/ping');
		return answer;
	});

	t.is(parse(answer).status, 408);
});

test('a body that comes byte by byte is not waited for', async t => {
	let starts = 0;
	const {port, ask} = await openServer(
		t,
		{
			startBody: async () => {
				starts++;
				return aProcess();
			},
		},
		{patience: impatient},
	);
	const socket = connect(port, '127.0.0.1').setEncoding('utf8');
	t.teardown(() => socket.destroy());
	let answer = '';
	socket.on('data', chunk => {
		answer += chunk;
	});
	socket.on('error', () => undefined);
	socket.write(
		`POST /commands/background HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${await mint()}\r\ncontent-length: 50000\r\n\r\n{"`,
	);

	await eventually(async () => {
		socket.write(' ');
		await ask('GET', '/ping');
		return answer;
	});

	t.is(parse(answer).status, 408);
	t.is(starts, 0);
});

test('a connection that never says anything is closed', async t => {
	const {port} = await openServer(t, {}, {patience: impatient});

	t.regex(await exchange(port), /^HTTP\/1\.1 408 /);
});

test('a connection that says nothing more is closed after the time that it was told', async t => {
	const {port} = await openServer(t, {}, {patience: {...impatient, idleMs: 1000}});

	const answer = await exchange(port, 'GET /ping HTTP/1.1\r\nhost: x\r\n\r\n');

	t.regex(answer, /^HTTP\/1\.1 200 OK\r\n(.*\r\n)*Keep-Alive: timeout=1\r\n/);
});

test('rubbish after a request is never taken for its answer', async t => {
	const waits: ((process: ReturnType<typeof aProcess>) => void)[] = [];
	const {port} = await openServer(t, {kill: () => new Promise(resolve => waits.push(resolve))});

	const answer = await exchange(
		port,
		`POST /execute/kill/proc_1 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${await mint()}\r\n\r\n`,
		'rubbish\r\n\r\n',
	);

	t.is(answer, '');
});

test('a client that leaves in the middle of a body harms nobody', async t => {
	const {port, ask, log} = await openServer(t);
	const socket = connect(port, '127.0.0.1');
	const authorization = `Bearer ${await mint()}`;
	socket.write(
		`POST /commands/background HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n`,
	);
	await once(socket, 'data');
	socket.resetAndDestroy();

	await eventually(() => log.length === 1);

	t.is(JSON.parse(log[0] ?? '').level, 'info');
	t.is((await ask('GET', '/ping')).status, 200);
});

test('500 connections that say nothing keep nobody from being served', async t => {
	const {port, ask} = await openServer(t);
	const sockets = Array.from({length: 500}, () => connect(port, '127.0.0.1'));
	t.teardown(() => {
		for (const socket of sockets) {
			socket.destroy();
		}
	});
	await Promise.all(sockets.map(socket => once(socket, 'connect')));

	t.is((await ask('GET', '/ping')).status, 200);
});

test('draining answers what was asked, refuses what comes, and closes connections', async t => {
	let finish: (process: ReturnType<typeof aProcess>) => void = () => undefined;
	const {port, server, ask} = await openServer(t, {
		kill: () =>
			new Promise(resolve => {
				finish = resolve;
			}),
	});
	const agent = new Agent({keepAlive: true});
	t.teardown(() => agent.destroy());
	const headers = {authorization: `Bearer ${await mint()}`};
	const kill = httpRequest({port, agent, method: 'POST', path: '/execute/kill/proc_1', headers}).end();
	await eventually(() => finish.length === 1);

	const drained = server.drain(10_000);
	await t.throwsAsync(ask('GET', '/ping'), {code: 'ECONNREFUSED'});
	finish(aProcess({status: 'killed'}));
	const [response] = await once(kill, 'response');
	response.resume();
	await drained;

	t.is(response.statusCode, 200);
	t.is(response.headers.connection, 'close');
});

test('a request that was on its way when the draining began gets 503, and its connection is closed', async t => {
	const {port, server, ask} = await openServer(t);
	const socket = connect(port, '127.0.0.1').setEncoding('utf8');
	t.teardown(() => socket.destroy());
	let answer = '';
	socket.on('data', chunk => {
		answer += chunk;
	});
	socket.write('GET /ping HTTP/1.1\r\nhost: x\r\n');
	// Whoever comes later is served later: by then the server has read the above.
	await ask('GET', '/ping');

	await server.drain(10_000);
	socket.write('\r\n');
	await once(socket, 'close');

	const {status, headers, json} = parse(answer);
	t.is(status, 503);
	t.is(headers.get('connection'), 'close');
	t.is(json['code'], 'SERVICE_UNAVAILABLE');
});

test('draining waits no longer than it should for what takes long', async t => {
	let fail: (error: Error) => void = () => undefined;
	const {server, ask} = await openServer(t, {
		kill: () =>
			new Promise((_, reject) => {
				fail = reject;
			}),
	});
	const kill = ask('POST', '/execute/kill/proc_1');
	await eventually(() => fail.length === 1);

	await server.drain(50);
	fail(new ShuttingDownError());
	await server.drain(5000);

	const {status, headers} = await kill;
	t.is(status, 503);
	t.is(headers.connection, 'close');
});

test('draining with nothing to do settles at once', async t => {
	const {server} = await openServer(t);

	const startedAt = performance.now();
	await server.drain(60_000);

	t.true(performance.now() - startedAt < 30_000);
});

test('who waits for a client is told that it has left, also where that was before the waiting began', async t => {
	let hasCome = false;
	let waitsWith: AbortSignal | undefined;
	let goOn: () => void = () => undefined;
	const hasLeft = new Promise<void>(resolve => {
		goOn = resolve;
	});
	const {port, ask} = await openServer(t, {
		startBody: async () => {
			hasCome = true;
			await hasLeft;
			return aProcess({status: 'running'});
		},
		wait: async (_, {signal} = {}) => {
			waitsWith = signal;
			return aProcess();
		},
	});
	const headers = {authorization: `Bearer ${await mint()}`, 'content-type': 'application/json'};
	const request = httpRequest({port, method: 'POST', path: '/commands/run', headers});
	request.on('error', () => undefined);
	request.end('{"command": "sleep 60"}');

	await eventually(() => hasCome);
	request.destroy();
	// Answered after the end of the other connection was read.
	await ask('GET', '/ping');
	goOn();

	t.true(await eventually(() => waitsWith?.aborted));
});
