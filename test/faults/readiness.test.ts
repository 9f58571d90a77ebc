import {once} from 'node:events';
import {createServer as createHttpServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {createServer, type Server} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import {type CommandInput, NotReadyError, type Supervisor, WaitAbortedError} from '../../lib/index.js';
import {Agent} from '../helpers/agent-client.js';
import {eventually} from '../helpers/eventually.js';
import {makeGate} from '../helpers/gate.js';
import {makeStateDir, openSupervisor} from '../helpers/state-dir.js';

/** Listens on the port it is given, once the file is there, and says when, in milliseconds since 1970. */
const listen = (port: number, host = '127.0.0.1'): CommandInput => ({
	command: process.execPath,
	args: ['-e', `require('net').createServer().listen(${port}, '${host}', () => console.log(Date.now()))`],
	ready: {port},
});

async function open(t: ExecutionContext, server: Server, port = 0): Promise<number> {
	server.listen(port, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => server.close());
	return (server.address() as AddressInfo).port;
}

/** A port that nobody uses now. */
async function freePort(t: ExecutionContext): Promise<number> {
	const server = createServer();
	const port = await open(t, server);
	server.close();
	await once(server, 'close');
	return port;
}

const why = async (t: ExecutionContext, supervisor: Supervisor, processId: string) =>
	(await t.throwsAsync(supervisor.ready(processId), {instanceOf: NotReadyError}))?.why;

for (const containment of ['auto', 'session'] as const) {
	test(`a server is ready soon after its port opens (${containment})`, async t => {
		const supervisor = await openSupervisor(t, {containment});
		const told: string[] = [];
		supervisor.on('ready', ({process: {processId}}) => told.push(processId));
		const started = await supervisor.start(listen(await freePort(t)));

		const ready = await supervisor.ready(started.processId);
		const again = await supervisor.ready(started.processId);
		const {stdout} = await eventually(
			() => supervisor.get(started.processId),
			({stdout}) => stdout !== '',
		);

		t.is(started.readyAt, null);
		t.like(ready, {status: 'running', readyTimedOutAt: null});
		t.deepEqual(again, ready);
		t.deepEqual(told, [started.processId]);
		t.log(`${containment}: ready ${Number(ready.readyAt) - Number(stdout)} ms after the port's opening`);
	});
}

test('a descendant may be the one that listens, on ::1 as well', async t => {
	const supervisor = await openSupervisor(t);
	const {command, args, ready} = listen(await freePort(t), '::1');
	const words = [command, ...(args ?? [])].map(word => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');

	const {processId} = await supervisor.start({command: `(setsid ${words} &) ; sleep 60`, ready});

	t.like(await supervisor.ready(processId), {status: 'running'});
});

test('the port of a stranger is not readiness; once the stranger has left, the process can be', async t => {
	const stranger = createServer();
	const port = await open(t, stranger);
	let visits = 0;
	stranger.on('connection', socket => {
		visits++;
		socket.destroy();
	});
	const supervisor = await openSupervisor(t);
	const retry = `until ${process.execPath} -e "require('net').createServer().listen(${port}, '127.0.0.1')" 2>/dev/null; do sleep 0.05; done`;
	const {processId} = await supervisor.start({command: retry, ready: {port}});
	await eventually(
		() => visits,
		count => count >= 2,
	);

	const {readyAt} = await supervisor.get(processId);
	stranger.close();
	const ready = await supervisor.ready(processId);

	t.is(readyAt, null);
	t.like(ready, {status: 'running'});
});

test('declared to an agent that is killed before it: the next one goes on watching, and keeps what it has seen', async t => {
	const stateDir = makeStateDir(t);
	const gate = makeGate(stateDir);
	const agent = await Agent.open(t, stateDir);
	const {processId} = await agent.start({command: `${gate.wait}; echo is ready; sleep 60`, ready: {log: 'is ready'}});

	await agent.kill();
	gate.open();
	const second = await Agent.open(t, stateDir);
	const ready = await second.call('ready', processId);
	await second.kill();
	const supervisor = await openSupervisor(t, {stateDir});

	t.deepEqual(await supervisor.ready(processId), ready);
});

test('a text is found that was written by the byte, on standard error, behind much else', async t => {
	const supervisor = await openSupervisor(t);
	const command = 'head -c 200000 /dev/zero >&2; for c in l i s t ✓; do printf "$c" >&2; sleep 0.02; done; sleep 60';

	const {processId} = await supervisor.start({command, ready: {log: 'list✓'}});

	t.like(await supervisor.ready(processId), {status: 'running'});
});

test('a URL is asked until its answer is below 500; a redirect is an answer, and is not followed', async t => {
	const asked: string[] = [];
	const server = createHttpServer(({url = ''}, response) => {
		asked.push(url);
		response.writeHead(asked.length < 3 ? 503 : 302, {location: '/elsewhere'}).end();
	});
	const port = await open(t, server);
	const supervisor = await openSupervisor(t);

	const {processId} = await supervisor.start({command: 'sleep 60', ready: {http: `http://127.0.0.1:${port}/up?now`}});
	await supervisor.ready(processId);

	t.deepEqual(asked, ['/up?now', '/up?now', '/up?now']);
});

test('one that is not ready in time runs on, and its port is no longer asked for', async t => {
	const supervisor = await openSupervisor(t);

	const {processId} = await supervisor.start({
		command: 'sleep 0.3; echo up; sleep 60',
		ready: {log: 'up', timeoutMs: 50},
	});
	const reason = await why(t, supervisor, processId);
	await eventually(async () => (await supervisor.get(processId)).stdout === 'up\n');
	const {status, readyAt, readyTimedOutAt} = await supervisor.get(processId);

	t.is(reason, 'timed_out');
	t.deepEqual(
		{status, readyAt, isTimedOut: readyTimedOutAt !== null},
		{status: 'running', readyAt: null, isTimedOut: true},
	);
	t.is(await why(t, supervisor, processId), 'timed_out');
});

test('one that ends first, or was never asked to be, is not ready; who waits may give up', async t => {
	const supervisor = await openSupervisor(t);
	const short = await supervisor.start({command: 'sleep 0.1', ready: {log: 'never'}});
	const plain = await supervisor.start({command: 'sleep 60'});
	const long = await supervisor.start({command: 'sleep 60', ready: {log: 'never'}});
	const error = await t.throwsAsync(supervisor.ready(long.processId, {signal: AbortSignal.timeout(20)}));

	t.true(error instanceof WaitAbortedError);
	t.is(await why(t, supervisor, short.processId), 'ended');
	t.is(await why(t, supervisor, plain.processId), 'undeclared');
	const waiting = why(t, supervisor, long.processId);
	await supervisor.kill(long.processId);
	t.is(await waiting, 'ended');
});
