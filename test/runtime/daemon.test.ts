import {createSecretKey} from 'node:crypto';
import {existsSync, rmSync} from 'node:fs';
import test, {type ExecutionContext} from 'ava';
import {readConfig} from '../../runtime/config.js';
import {type Daemon, startDaemon} from '../../runtime/daemon.js';
import {createLogger} from '../../runtime/log.js';
import {eventually} from '../helpers/eventually.js';
import {type AskOptions, ask, mint, secretKey, type TestAnswer} from '../helpers/http-server.js';
import {makeStateDir} from '../helpers/state-dir.js';
import {besides} from '../helpers/state-files.js';

/** Far above what it takes, and far below what it would take if the promise broke; machines are busy. */
const patienceMs = 10_000;

interface TestDaemon extends Daemon {
	readonly log: string[];
	ask(method: string, target: string, options?: AskOptions): Promise<TestAnswer>;
	/** Starts a command; at the end of the test it is killed. */
	start(body: object, headers?: Record<string, string>): Promise<Record<string, unknown>>;
}

/** The whole daemon in this program, with a supervisor that runs real commands. */
async function openDaemon(t: ExecutionContext, flags: object = {}, stateDir = makeStateDir(t)): Promise<TestDaemon> {
	const log: string[] = [];
	const daemon = await startDaemon({
		config: readConfig({port: '0', ...flags}, {}),
		stateDir,
		key: secretKey,
		logger: createLogger('debug', {write: (line: string) => log.push(line)}),
	});
	const askIt = (method: string, target: string, options?: AskOptions) =>
		ask(daemon.address.port, method, target, options);
	t.teardown(async () => {
		const {json} = await askIt('GET', '/execute/processes?status=running&tail_bytes=0').catch(() => ({json: {}}));
		const running = ('processes' in json ? json['processes'] : []) as {process_id: string}[];
		await Promise.all(running.map(({process_id: id}) => askIt('POST', `/execute/kill/${id}?grace_period=0`)));
		await daemon.close();
	});
	return {
		...daemon,
		log,
		ask: askIt,
		start: async (body, headers = {}) => (await askIt('POST', '/commands/background', {body, headers})).json,
	};
}

/** The process once it has ended. */
async function ended({ask}: TestDaemon, id: unknown): Promise<Record<string, unknown>> {
	const {json} = await eventually(
		() => ask('GET', `/execute/processes/${id}`),
		({json}) => json['status'] !== 'running' && json['status'] !== 'queued',
	);
	return json;
}

test('a command is started, listed, and its output and end are there afterwards', async t => {
	const daemon = await openDaemon(t);

	const started = await daemon.start({command: 'echo out; echo err >&2; exit 3', name: 'three', timeout: 60});
	const process = await ended(daemon, started['process_id']);
	const {json} = await daemon.ask('GET', '/execute/processes');

	t.is(started['status'], 'running');
	t.like(process, {
		process_id: started['process_id'],
		execution_id: started['execution_id'],
		name: 'three',
		status: 'failed',
		reason: 'exited',
		exit_code: 3,
		stdout: 'out\n',
		stderr: 'err\n',
		timeout: 60,
	});
	const {usage, ...listed} = process;
	t.deepEqual(Object.keys(usage as object), ['cpu_seconds', 'memory_bytes', 'memory_peak_bytes', 'processes']);
	t.is(json['count'], 1);
	t.deepEqual(json['processes'], [listed]);
});

test('a running process is killed with its children, and again means the same', async t => {
	const daemon = await openDaemon(t);
	const {process_id: id} = await daemon.start({command: 'sleep 600 & sleep 600', env: {SECRET: 'hunter2'}});

	const kill = () => daemon.ask('DELETE', '/execute/kill', {body: {process_id: id}});
	const first = await kill();
	const second = await kill();

	t.like(first, {status: 200, json: {process_id: id, status: 'killed'}});
	t.deepEqual(second.json, first.json);
	t.like(await ended(daemon, id), {status: 'killed', reason: 'request'});
	t.notRegex(daemon.log.join(''), /hunter2/);
});

test('what has ended by itself cannot be killed', async t => {
	const daemon = await openDaemon(t);
	const {process_id: id} = await daemon.start({command: 'true'});
	await ended(daemon, id);

	const {status, json} = await daemon.ask('POST', `/processes/${id}/kill`);

	t.is(status, 404);
	t.is(json['code'], 'RESOURCE_NOT_FOUND');
});

test('a start that is repeated with its key gives the first process', async t => {
	const daemon = await openDaemon(t);
	const key = {'idempotency-key': 'key-1'};

	const answers = await Promise.all(Array.from({length: 10}, () => daemon.start({command: 'true'}, key)));
	const other = await daemon.ask('POST', '/commands/background', {body: {command: 'false'}, headers: key});

	t.is(new Set(answers.map(({process_id: id}) => id)).size, 1);
	t.is(other.status, 409);
	t.is(other.json['code'], 'CONFLICT');
	t.is((await daemon.ask('GET', '/execute/processes')).json['count'], 1);
});

test('one too many waits, two too many are refused', async t => {
	const daemon = await openDaemon(t, {maxRunning: '1', maxQueued: '1'});
	await daemon.start({command: 'sleep 600'});

	const second = await daemon.start({command: 'sleep 600'});
	const third = await daemon.ask('POST', '/commands/background', {body: {command: 'true'}});
	const {json} = await daemon.ask('GET', '/health');
	await daemon.ask('POST', `/execute/kill/${second['process_id']}`);

	t.is(second['status'], 'queued');
	t.is(third.status, 429);
	t.is(third.headers['retry-after'], '1');
	t.like(json, {running: 1, queued: 1});
});

const refusesCommand = test.macro(async (t, body: unknown, field: string | undefined, message: RegExp) => {
	const daemon = await openDaemon(t);

	const {status, json} = await daemon.ask('POST', '/commands/background', {body});

	t.is(status, 400);
	t.is(json['code'], 'INVALID_REQUEST');
	t.is(json['field'], field);
	t.regex(String(json['message']), message);
	t.is((await daemon.ask('GET', '/execute/processes')).json['count'], 0);
});

test('refuses no body', refusesCommand, undefined, undefined, /object/);
test('refuses what is no object', refusesCommand, ['true'], undefined, /object/);
test('refuses a missing command', refusesCommand, {}, 'command', /command is missing/);
test('refuses a field of another type', refusesCommand, {command: 'true', timeout: '5'}, 'timeout', /whole number/);
test(
	'refuses an unknown field, and names the nearest',
	refusesCommand,
	{command: 'true', timout: 5},
	'timout',
	/did you mean timeout\?/,
);
test(
	'refuses __proto__ as a field',
	refusesCommand,
	'{"command":"true","__proto__":{"timeout":1}}',
	'__proto__',
	/__proto__/,
);
test(
	'refuses a directory that is not there',
	refusesCommand,
	{command: 'true', working_dir: '/nowhere'},
	'working_dir',
	/nowhere/,
);
test(
	'never repeats an environment value',
	refusesCommand,
	{command: 'true', env: {A: ['hunter2']}},
	'env.A',
	/^(?!.*hunter2)/,
);

test('a variable may be called __proto__', async t => {
	const daemon = await openDaemon(t);

	const body = JSON.parse('{"command": "env | grep __proto__", "env": {"__proto__": "x"}}');
	const {process_id: id} = await daemon.start(body);

	t.is((await ended(daemon, id))['stdout'], '__proto__=x\n');
});

test('closing lets commands run on, and the next daemon shows them', async t => {
	const stateDir = makeStateDir(t);
	const first = await openDaemon(t, {}, stateDir);
	const {process_id: id} = await first.start({command: 'sleep 600'});

	await first.close();
	const second = await openDaemon(t, {}, stateDir);

	t.like((await second.ask('GET', `/execute/processes/${id}`)).json, {status: 'running', reason: null});
});

test('closing answers a kill that takes long with 503, and does not wait for it', async t => {
	const stateDir = makeStateDir(t);
	const asked = besides(stateDir, 'asked');
	const first = await openDaemon(t, {}, stateDir);
	const {process_id: id} = await first.start({command: `trap 'touch ${asked}' TERM; while :; do sleep 0.1; done`});
	const kill = first.ask('POST', `/execute/kill/${id}?grace_period=600`);
	await eventually(() => existsSync(asked));

	const startedAt = performance.now();
	await first.close();

	t.true(performance.now() - startedAt < patienceMs);
	t.is((await kill).status, 503);
	await openDaemon(t, {}, stateDir);
});

test('without another key, a token of the state directory opens', async t => {
	const stateDir = makeStateDir(t);
	const daemon = await startDaemon({
		config: readConfig({port: '0'}, {}),
		stateDir,
		key: null,
		logger: createLogger('silent', {write: () => undefined}),
	});
	t.teardown(() => daemon.close());
	const {mintToken} = await import('../../runtime/token.js');

	const token = await mintToken({ttl: '1m'}, {stateDir}, {});

	t.is((await ask(daemon.address.port, 'GET', '/execute/processes', {token})).status, 200);
	t.is((await ask(daemon.address.port, 'GET', '/execute/processes', {token: await mint()})).status, 401);
});

test('whoever watches over it is told in numbers, with a token only', async t => {
	const daemon = await openDaemon(t);
	const {process_id: id} = await daemon.start({command: 'printf 12345'});
	await ended(daemon, id);

	const url = `http://127.0.0.1:${daemon.address.port}/metrics/prometheus`;
	const response = await fetch(url, {headers: {authorization: `Bearer ${await mint()}`}});

	t.is(response.status, 200);
	t.regex(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
	const text = await response.text();
	t.regex(text, /^nohupd_processes_ended_total\{status="completed",reason="exited"\} 1$/m);
	t.regex(text, /^nohupd_output_bytes_total\{stream="stdout"\} 5$/m);
	t.is((await fetch(url)).status, 401);
});

test('everybody may ask how it is, and learns of the disk and of warnings, but of no path', async t => {
	const stateDir = makeStateDir(t);
	const daemon = await openDaemon(t, {}, stateDir);
	daemon.health.warn('Look here');

	const {json, text} = await daemon.ask('GET', '/health', {token: null});

	t.like(json, {status: 'ok', warnings: ['Look here']});
	const {free_bytes: free, total_bytes: total} = json['disk'] as Record<string, number>;
	t.true(Number(free) > 0 && Number(total) >= Number(free));
	t.false(text.includes('/'), text);
});

test('while no command can be accepted for want of room, health warns of it, and still answers', async t => {
	const full = await openDaemon(t, {diskReserve: String(2 ** 50)});
	const stateDir = makeStateDir(t);
	const gone = await openDaemon(t, {}, stateDir);
	rmSync(stateDir, {recursive: true});

	const refused = await full.ask('POST', '/commands/background', {body: {command: 'true'}});
	const whenFull = await full.ask('GET', '/health');
	const whenGone = await gone.ask('GET', '/health', {token: null});

	t.is(refused.status, 507);
	t.like(whenFull.json, {
		status: 'ok',
		warnings: ['The disk of the state directory has less than its reserve free: commands are refused'],
	});
	t.like(whenGone.json, {
		status: 'ok',
		disk: null,
		warnings: ['The state directory cannot be looked at, it may be gone: commands are refused'],
	});
});

test('another key can take the place of the first while requests are served', async t => {
	const daemon = await openDaemon(t);
	const other = 'another secret of the tests, long enough';
	const statusOf = async (token: string) => (await daemon.ask('GET', '/execute/processes', {token})).status;
	const tokens = [await mint(), await mint({}, Buffer.from(other))] as const;
	const before = await Promise.all(tokens.map(statusOf));

	await daemon.replaceKey({kind: 'secret', secret: createSecretKey(Buffer.from(other)), origin: 'the test'});

	t.deepEqual(before, [200, 401]);
	t.deepEqual(await Promise.all(tokens.map(statusOf)), [401, 200]);
});

test('one line for each change of a process and each request, with ids, and without the command', async t => {
	const daemon = await openDaemon(t);
	const {process_id: id} = await daemon.start({command: 'echo hunter2; exit 3', name: 'hunter2'});
	await ended(daemon, id);

	const lines = daemon.log.map(line => JSON.parse(line)).filter(({processId}) => processId === id);
	const [request] = lines.filter(({msg, method}) => msg === 'Request' && method === 'POST');
	t.deepEqual(
		lines.filter(({executionId}) => executionId !== undefined).map(({msg}) => msg),
		['A command was accepted', 'A process has started', 'A process has ended'],
	);
	t.like(
		lines.find(({reason}) => reason !== undefined),
		{status: 'failed', reason: 'exited', exitCode: 3},
	);
	t.like(request, {route: '/commands/background', status: 200, level: 'info'});
	t.notRegex(daemon.log.join(''), /hunter2/);
});

test('a daemon that cannot listen lets go of its state directory', async t => {
	const stateDir = makeStateDir(t);
	const other = await openDaemon(t);

	await t.throwsAsync(openDaemon(t, {port: String(other.address.port)}, stateDir), {code: 'EADDRINUSE'});

	await t.notThrowsAsync(openDaemon(t, {}, stateDir));
});
