import test from 'ava';
import {
	IdempotencyConflictError,
	type KillOptions,
	type ListOptions,
	ProcessEndedError,
	ProcessNotFoundError,
	ProcessRunningError,
	QueryInvalidError,
	QueueFullError,
	ShuttingDownError,
	StorageFullError,
	type Supervisor,
} from '../../lib/index.js';
import {aProcess, openServer} from '../helpers/http-server.js';

const open = {token: null};

test('everybody may ask whether it is there', async t => {
	const {ask} = await openServer(t);

	const {status, json, headers} = await ask('GET', '/ping', open);

	t.is(status, 200);
	t.deepEqual(json, {status: 'ok'});
	t.is(headers['content-type'], 'application/json');
	t.is(headers['cache-control'], 'no-store');
});

test('everybody may ask how it is', async t => {
	const {ask} = await openServer(t, {
		state: () => ({running: 3, queued: 2, isClosing: false, hasRoom: true, containment: 'cgroup'}),
	});

	const {json} = await ask('GET', '/health', open);

	t.like(json, {status: 'ok', version: '1.2.3', running: 3, queued: 2, containment: 'cgroup'});
	t.is(typeof json['uptime_seconds'], 'number');
});

test('HEAD is GET without the body', async t => {
	const {ask} = await openServer(t, {list: async () => ({processes: [], nextCursor: null})});

	for (const target of ['/ping', '/execute/processes']) {
		const {status, text, headers} = await ask('HEAD', target);
		t.deepEqual([status, text, headers['content-type']], [200, '', 'application/json']);
	}
});

test('OPTIONS tells what is allowed', async t => {
	const {ask} = await openServer(t);

	const {status, headers} = await ask('OPTIONS', '/execute/processes');

	t.is(status, 204);
	t.is(headers.allow, 'GET, HEAD, OPTIONS');
});

test('every answer has a request id of our own, and errors repeat it', async t => {
	const {ask} = await openServer(t);
	const headers = {'x-request-id': 'req_mine'};

	const first = await ask('GET', '/ping', {headers});
	const second = await ask('GET', '/nowhere', {headers});

	t.regex(String(first.headers['x-request-id']), /^req_[0-9a-f]{32}$/);
	t.not(first.headers['x-request-id'], second.headers['x-request-id']);
	t.is(second.json['request_id'], second.headers['x-request-id']);
});

test('an unknown path is told, without the words that mean a missing file', async t => {
	const {ask} = await openServer(t);

	const {status, json} = await ask('GET', '/x?token=1');

	t.is(status, 404);
	t.like(json, {code: 'RESOURCE_NOT_FOUND', error: 'No such endpoint: GET /x', message: 'No such endpoint: GET /x'});
});

test('an id that is missing makes another path', async t => {
	const {ask} = await openServer(t);

	const {json} = await ask('GET', '/execute/processes/');

	t.is(json['message'], 'No such endpoint: GET /execute/processes/');
});

test('another method is told with those that are allowed', async t => {
	const {ask} = await openServer(t);

	const {status, json, headers} = await ask('PUT', '/execute/kill');

	t.is(status, 405);
	t.is(json['code'], 'METHOD_NOT_ALLOWED');
	t.is(headers.allow, 'DELETE, OPTIONS');
	t.is((await ask('POST', '/ping', open)).status, 405);
});

test('without a token nobody learns which paths there are', async t => {
	const {ask} = await openServer(t);

	for (const target of ['/nowhere', '/execute/kill', '/%zz', '/ping/', '/%70ing']) {
		for (const method of ['GET', 'PUT', 'OPTIONS']) {
			t.is((await ask(method, target, open)).status, 401, `${method} ${target}`);
		}
	}
});

const takesNoSuchId = test.macro(async (t, id: string, status: number, said?: string) => {
	// Whatever reaches the supervisor would throw here.
	const {ask} = await openServer(t);

	for (const [method, target] of [
		['GET', `/execute/processes/${id}`],
		['POST', `/execute/kill/${id}`],
		['POST', `/processes/${id}/kill`],
		['DELETE', `/execute/kill?process_id=${id}`],
	] as const) {
		const answer = await ask(method, target);
		const isQuery = method === 'DELETE';
		t.true(answer.status === status || (isQuery && answer.status === 404), `${method} ${target}: ${answer.text}`);
		if (said !== undefined) {
			t.is(answer.json['message'], `No process with id ${said}`);
		}
	}
});

test('no id: ..', takesNoSuchId, '..', 404, '..');
test('no id: %2e%2e', takesNoSuchId, '%2e%2e', 404, '..');
test('no id: a path', takesNoSuchId, '..%2f..%2fetc%2fpasswd', 404, '../../etc/passwd');
test('no id: an id and a path', takesNoSuchId, 'proc_1%2f..%2fspec', 404, 'proc_1/../spec');
test('no id: a longer path', takesNoSuchId, '../../etc/passwd', 404);
test('no id: a NUL', takesNoSuchId, 'proc_1%00', 404, 'proc_1');
test('no id: control characters', takesNoSuchId, '%1b%5b2Jproc%0d%0a', 404, '[2Jproc');
test('no id: 5 kB', takesNoSuchId, 'x'.repeat(5000), 404, `${'x'.repeat(80)}…`);
test('no id: no UTF-8', takesNoSuchId, '%ff', 400);
test('no id: no percent-encoding', takesNoSuchId, '%zz', 400);

test('one process is shown as it is', async t => {
	const asked: unknown[] = [];
	const {ask} = await openServer(t, {
		get: async (...given) => {
			asked.push(given);
			return {...aProcess({name: 'one'}), usage: null};
		},
	});

	const {status, json} = await ask('GET', '/execute/processes/proc_1');
	await ask('GET', '/execute/processes/proc_1?tail_bytes=0');

	t.is(status, 200);
	t.like(json, {process_id: 'proc_1', name: 'one', language: 'bash', usage: null});
	t.deepEqual(asked, [
		['proc_1', {tailBytes: 65_536}],
		['proc_1', {tailBytes: 0}],
	]);
});

test('one process is shown with what it uses', async t => {
	const usage = {cpuMs: 1500, memoryBytes: 4096, memoryPeakBytes: 8192, processes: 2};
	const {ask} = await openServer(t, {get: async () => ({...aProcess({containment: 'cgroup'}), usage})});

	const {json} = await ask('GET', '/execute/processes/proc_1');

	t.is(json['containment'], 'cgroup');
	t.deepEqual(json['usage'], {cpu_seconds: 1.5, memory_bytes: 4096, memory_peak_bytes: 8192, processes: 2});
});

test('the whole address in the request line is understood (RFC 9112 section 3.2.2)', async t => {
	const {ask} = await openServer(t);

	t.is((await ask('GET', 'http://example.org/ping?x=1', open)).status, 200);
});

test('a query that is not UTF-8 is refused, as a path is', async t => {
	const {ask} = await openServer(t);

	for (const query of ['name=%ff', 'name=100%']) {
		const {status, json} = await ask('GET', `/execute/processes?${query}`);
		t.deepEqual([status, json['message']], [400, 'The query is not percent-encoded UTF-8']);
	}
});

test('a query that nobody reads is refused', async t => {
	const {ask} = await openServer(t);

	for (const [method, path] of [
		['GET', '/info'],
		['GET', '/metrics/snapshot'],
		['GET', '/metrics/prometheus'],
		['GET', '/processes'],
		['GET', '/openapi.json'],
		['POST', '/commands/background'],
		['POST', '/commands/run'],
		['POST', '/execute/background'],
	] as const) {
		const {status, json} = await ask(method, `${path}?timeout=5`, method === 'GET' ? {} : {body: {command: 'true'}});
		t.deepEqual([status, json?.['field']], [400, 'timeout'], path);
	}
});

const refusesQuery = test.macro(async (t, query: string, message: string, field: string) => {
	const {ask} = await openServer(t);

	const {status, json} = await ask('GET', `/execute/processes?${query}`);

	t.is(status, 400);
	t.like(json, {code: 'INVALID_REQUEST', message, field});
});

test(
	'names an unknown query parameter',
	refusesQuery,
	'statsu=running',
	'statsu is not a known query parameter; did you mean status?',
	'statsu',
);
test('names a repeated one', refusesQuery, 'limit=1&limit=2', 'limit is given more than once', 'limit');
test(
	'names a wrong limit',
	refusesQuery,
	'limit=1001',
	'limit must be a whole number from 1 to 1000; got 1001',
	'limit',
);
test(
	'names a wrong number',
	refusesQuery,
	'limit=1e2',
	'limit must be a whole number from 1 to 1000; got "1e2"',
	'limit',
);
test(
	'names a wrong status',
	refusesQuery,
	'status=done',
	'status must be one of queued, running, completed, failed, killed; got "done"',
	'status',
);
test('names an empty name', refusesQuery, 'name=', 'name must not be empty; got ""', 'name');
test(
	'names too long a tail',
	refusesQuery,
	'tail_bytes=65537',
	'tail_bytes must be a whole number from 0 to 65536; got 65537',
	'tail_bytes',
);

test('a list can be narrowed', async t => {
	const asked: (ListOptions | undefined)[] = [];
	const {ask} = await openServer(t, {
		list: async options => {
			asked.push(options);
			return {processes: [], nextCursor: null};
		},
	});

	const {json} = await ask('GET', '/execute/processes?status=running&name=a%20b&limit=5&cursor=7&tail_bytes=0');

	t.deepEqual(json, {processes: [], count: 0});
	t.deepEqual(asked, [{status: 'running', name: 'a b', limit: 5, cursor: '7', tailBytes: 0}]);
});

test('a cursor that is none is refused by the supervisor, before the answer has begun', async t => {
	const {ask} = await openServer(t, {
		list: async () => {
			throw new QueryInvalidError('cursor', 'must be the cursor of another page; got "x"');
		},
	});

	const {status, json} = await ask('GET', '/execute/processes?cursor=x');

	t.is(status, 400);
	t.is(json['field'], 'cursor');
});

const killed = test.macro(async (t, method: string, target: string, body: unknown, options: KillOptions = {}) => {
	const asked: [string, (KillOptions | undefined)?][] = [];
	const {ask} = await openServer(t, {
		kill: async (...given) => {
			asked.push(given);
			return aProcess({status: 'killed'});
		},
	});

	const {status, json} = await ask(method, target, {body});

	t.is(status, 200);
	t.deepEqual(json, {
		process_id: 'proc_1',
		status: 'killed',
		message: 'Process proc_1 was killed: nothing of its group, its descendants or with its cookie is alive',
		containment: 'session',
	});
	t.deepEqual(asked, [['proc_1', {gracePeriodMs: undefined, signal: undefined, ...options}]]);
});

test('kills by the body', killed, 'DELETE', '/execute/kill', {process_id: 'proc_1'});
test(
	'kills by the body, gently',
	killed,
	'DELETE',
	'/execute/kill',
	{process_id: 'proc_1', grace_period: 2.5},
	{gracePeriodMs: 2500},
);
test('kills by the query', killed, 'DELETE', '/execute/kill?process_id=proc_1', undefined);
test('kills by the query, at once', killed, 'DELETE', '/execute/kill?process_id=proc_1&grace_period=0', undefined, {
	gracePeriodMs: 0,
});
test('kills by the query and an empty body', killed, 'DELETE', '/execute/kill?process_id=proc_1', '');
test('kills by both, where they say the same', killed, 'DELETE', '/execute/kill?process_id=proc_1', {
	process_id: 'proc_1',
});
test('kills by the path', killed, 'POST', '/execute/kill/proc_1', undefined);
test('kills by the other path', killed, 'POST', '/processes/proc_1/kill', {});
test(
	'kills by the other path, gently',
	killed,
	'POST',
	'/processes/proc_1/kill',
	{grace_period: 86_400},
	{
		gracePeriodMs: 86_400_000,
	},
);
test(
	'kills by the body, with another signal',
	killed,
	'DELETE',
	'/execute/kill',
	{process_id: 'proc_1', signal: 'SIGINT'},
	{
		signal: 'SIGINT',
	},
);
test('kills by the query, with another signal', killed, 'POST', '/execute/kill/proc_1?signal=SIGQUIT', undefined, {
	signal: 'SIGQUIT',
});
test(
	'kills by query and body, where they say the same signal',
	killed,
	'DELETE',
	'/execute/kill?signal=SIGHUP',
	{process_id: 'proc_1', signal: 'SIGHUP'},
	{
		signal: 'SIGHUP',
	},
);

test('the answer to a kill says what was looked at: in a cgroup, that it is empty', async t => {
	const {ask} = await openServer(t, {kill: async () => aProcess({status: 'killed', containment: 'cgroup'})});

	const {json} = await ask('DELETE', '/execute/kill', {body: {process_id: 'proc_1'}});

	t.deepEqual(json, {
		process_id: 'proc_1',
		status: 'killed',
		message: 'Process proc_1 was killed: its cgroup is empty',
		containment: 'cgroup',
	});
});

test('of one that waited for its turn, it says that it never ran', async t => {
	const {ask} = await openServer(t, {kill: async () => aProcess({status: 'killed', startedAt: null})});

	const {json} = await ask('DELETE', '/execute/kill', {body: {process_id: 'proc_1'}});

	t.is(json['message'], 'Process proc_1 was killed: it had not begun, and never will');
});

const refusesKill = test.macro(async (t, target: string, body: unknown, status: number, message: string) => {
	const {ask} = await openServer(t);

	const answer = await ask('DELETE', target, {body});

	t.is(answer.status, status);
	t.is(answer.json['message'], message);
});

test('refuses to kill nobody', refusesKill, '/execute/kill', {}, 400, 'process_id is missing');
test('refuses to kill nobody, without a body', refusesKill, '/execute/kill', undefined, 400, 'process_id is missing');
test(
	'refuses to kill one of two',
	refusesKill,
	'/execute/kill?process_id=proc_1',
	{process_id: 'proc_2'},
	400,
	'process_id is given twice, with different values',
);
test(
	'names an unknown field',
	refusesKill,
	'/execute/kill',
	{processId: 'proc_1'},
	400,
	'processId is not a known field; did you mean process_id?',
);
test(
	'names a wrong grace period',
	refusesKill,
	'/execute/kill',
	{process_id: 'proc_1', grace_period: -1},
	400,
	'grace_period must be a number of seconds from 0 to 86400; got -1',
);
test(
	'names a signal that is no text',
	refusesKill,
	'/execute/kill',
	{process_id: 'proc_1', signal: 9},
	400,
	'signal must be a string; got 9',
);
test(
	'refuses to ask with one of two signals',
	refusesKill,
	'/execute/kill?signal=SIGINT',
	{process_id: 'proc_1', signal: 'SIGHUP'},
	400,
	'signal is given twice, with different values',
);
test(
	'names an id that is no text',
	refusesKill,
	'/execute/kill',
	{process_id: 7},
	400,
	'process_id must be a string; got 7',
);
test(
	'refuses a body that is no object',
	refusesKill,
	'/execute/kill',
	['proc_1'],
	400,
	'The body must be an object; got an array',
);
test(
	'refuses an id that cannot be one',
	refusesKill,
	'/execute/kill',
	{process_id: '../x'},
	404,
	'No process with id ../x',
);

function failing(error: Error): Partial<Supervisor> {
	const reject = async () => {
		throw error;
	};
	return {startBody: reject, kill: reject, get: reject, signal: reject};
}

const signalPath = '/execute/processes/proc_1/signal';

test('sends a signal, and says to whom', async t => {
	const asked: unknown[] = [];
	const {ask} = await openServer(t, {
		signal: async (...given) => {
			asked.push(given);
			return aProcess();
		},
	});

	const {status, json} = await ask('POST', signalPath, {body: {signal: 'SIGHUP'}});

	t.is(status, 200);
	t.deepEqual(json, {process_id: 'proc_1', signal: 'SIGHUP', message: 'SIGHUP was sent to process proc_1'});
	t.deepEqual(asked, [['proc_1', 'SIGHUP']]);
});

const refusesSignal = test.macro(async (t, body: unknown, status: number, message: string, path?: string) => {
	// Whatever reaches the supervisor would throw here.
	const {ask} = await openServer(t);

	const answer = await ask('POST', path ?? signalPath, {body});

	t.is(answer.status, status);
	t.is(answer.json['message'], message);
});

test('refuses no signal', refusesSignal, {}, 400, 'signal is missing');
test('refuses no body', refusesSignal, undefined, 400, 'The body is missing: send an object as JSON');
test(
	'refuses the number of a signal',
	refusesSignal,
	{signal: 1},
	400,
	'signal must be the name of a signal, for instance SIGHUP; got 1',
);
test(
	'refuses a signal with a grace period',
	refusesSignal,
	{signal: 'SIGHUP', grace_period: 5},
	400,
	'grace_period is not a known field; known are signal',
);
test(
	'refuses a signal in the query',
	refusesSignal,
	{signal: 'SIGHUP'},
	400,
	'signal is not a known query parameter; there are none here',
	`${signalPath}?signal=SIGHUP`,
);
test(
	'refuses a signal for what cannot be an id',
	refusesSignal,
	{signal: 'SIGHUP'},
	404,
	'No process with id ..',
	'/execute/processes/%2e%2e/signal',
);

const answersSignal = test.macro(async (t, error: Error, status: number, expected: object) => {
	const {ask} = await openServer(t, failing(error));

	const answer = await ask('POST', signalPath, {body: {signal: 'SIGHUP'}});

	t.is(answer.status, status);
	t.like(answer.json, {message: error.message, ...expected});
});

test('a signal to nobody: 404', answersSignal, new ProcessNotFoundError('proc_1'), 404, {code: 'RESOURCE_NOT_FOUND'});
test('a signal to what has ended: 404', answersSignal, new ProcessEndedError('proc_1', 'exited'), 404, {
	code: 'RESOURCE_NOT_FOUND',
});
test(
	'a signal that there is not: 400',
	answersSignal,
	new QueryInvalidError('signal', 'must be the name of a signal, for instance SIGHUP; got "SIGNONE"'),
	400,
	{code: 'INVALID_REQUEST', field: 'signal'},
);

test('a signal is sent by POST, and with a token only', async t => {
	const {ask} = await openServer(t);

	const other = await ask('GET', signalPath);

	t.deepEqual([other.status, other.headers.allow], [405, 'POST, OPTIONS']);
	t.is((await ask('POST', signalPath, {body: {signal: 'SIGHUP'}, token: null})).status, 401);
});

test('an unknown process is told by its id', async t => {
	const {ask} = await openServer(t, failing(new ProcessNotFoundError('proc_1')));

	for (const answer of [await ask('GET', '/execute/processes/proc_1'), await ask('POST', '/execute/kill/proc_1')]) {
		t.is(answer.status, 404);
		t.like(answer.json, {code: 'RESOURCE_NOT_FOUND', message: 'No process with id proc_1'});
	}
});

const answersStart = test.macro(async (t, error: Error, status: number, headers: object) => {
	const {ask, log} = await openServer(t, failing(error));

	const answer = await ask('POST', '/commands/background', {body: {command: 'true'}});

	t.is(answer.status, status);
	t.is(answer.json['error'], error.message);
	t.like({...answer.headers, status}, {...headers, status});
	t.notRegex(log.join(''), /"level":"error"/);
});

test('a full queue: 429', answersStart, new QueueFullError(1, 1), 429, {'retry-after': '1'});
test('a key used twice: 409', answersStart, new IdempotencyConflictError('key', 'proc_1'), 409, {});
test('a full disk: 507', answersStart, new StorageFullError('/state'), 507, {});
test('the end is near: 503, on a connection that closes', answersStart, new ShuttingDownError(), 503, {
	connection: 'close',
});

test('a bug is a 500 whose details only the log has', async t => {
	const {ask, log} = await openServer(t, failing(new TypeError('hunter2 is undefined')));

	const {status, text, json} = await ask('POST', '/commands/background', {body: {command: 'true'}});

	t.is(status, 500);
	t.is(json['code'], 'INTERNAL_ERROR');
	t.notRegex(text, /hunter2/);
	const entry = log.find(line => line.includes('"level":"error"'));
	t.regex(entry ?? '', /hunter2 is undefined/);
	t.true(entry?.includes(String(json['request_id'])));
});

test('an idempotency key reaches the supervisor', async t => {
	const asked: unknown[] = [];
	const {ask} = await openServer(t, {
		startBody: async (...given) => {
			asked.push(given);
			return aProcess({status: 'queued'});
		},
	});

	const {json} = await ask('POST', '/commands/background', {
		body: {command: 'true'},
		headers: {'idempotency-key': '"a-1"'},
	});

	t.deepEqual(json, {process_id: 'proc_1', execution_id: 'exec_1', status: 'queued'});
	t.deepEqual(asked, [[{command: 'true'}, {idempotencyKey: '"a-1"'}]]);
});

test('an idempotency key that is none is refused', async t => {
	const {ask} = await openServer(t);

	for (const key of ['', 'a b', 'x'.repeat(256), 'ä']) {
		const {status, json} = await ask('POST', '/commands/background', {
			body: {command: 'true'},
			headers: {'idempotency-key': key},
		});
		t.is(status, 400, key);
		t.is(json['field'], 'Idempotency-Key');
	}
});

test('the log has one line for each request, with the pattern of its path and never its secrets', async t => {
	const {ask, log} = await openServer(t, {startBody: async () => aProcess({stdout: 'hunter2'})});
	const body = {command: 'echo hunter2', env: {KEY: 'hunter2'}};

	const {headers} = await ask('POST', '/commands/background', {body});
	await ask('GET', '/execute/processes/hunter2?tail_bytes=1');
	await ask('GET', '/hunter2');

	const lines = log.map(line => JSON.parse(line));
	t.like(lines[0], {
		level: 'info',
		requestId: headers['x-request-id'],
		method: 'POST',
		route: '/commands/background',
		status: 200,
	});
	t.like(lines[1], {level: 'debug', method: 'GET', route: '/execute/processes/{process_id}', status: 404});
	t.like(lines[2], {level: 'debug', route: null, status: 404});
	t.is(lines.length, 3);
	t.notRegex(log.join(''), /hunter2|Bearer/);
});

test('an ended process is forgotten by DELETE', async t => {
	const asked: string[] = [];
	const {ask} = await openServer(t, {
		forget: async processId => {
			asked.push(processId);
			return aProcess({processId});
		},
	});

	const {status, json} = await ask('DELETE', '/execute/processes/proc_1');

	t.is(status, 200);
	t.like(json, {process_id: 'proc_1', status: 'forgotten'});
	t.is(typeof json['message'], 'string');
	t.deepEqual(asked, ['proc_1']);
});

test('what is alive cannot be forgotten, nor what nobody knows', async t => {
	const refusals = [new ProcessRunningError('proc_1', false), new ProcessNotFoundError('proc_1')];
	const {ask} = await openServer(t, {forget: () => Promise.reject(refusals.shift())});

	t.like(await ask('DELETE', '/execute/processes/proc_1'), {
		status: 409,
		json: {code: 'CONFLICT', message: 'Process proc_1 has not ended: kill it first'},
	});
	t.is((await ask('DELETE', '/execute/processes/proc_1')).status, 404);
	t.is((await ask('DELETE', '/execute/processes/..%2f')).status, 404);
	t.is((await ask('DELETE', '/execute/processes/proc_1?force=1')).status, 400);
});
