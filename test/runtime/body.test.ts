import {once} from 'node:events';
import {connect} from 'node:net';
import {promisify} from 'node:util';
import {gzipSync} from 'node:zlib';
import test from 'ava';
import type {Supervisor} from '../../lib/index.js';
import {type AskOptions, aProcess, exchange, mint, openServer} from '../helpers/http-server.js';

/** Says in its answers what body it was given. */
function echo(bodies: unknown[] = []): Partial<Supervisor> {
	return {
		startBody: async body => {
			bodies.push(body);
			return aProcess();
		},
	};
}

const accepts = test.macro(async (t, options: AskOptions, body: unknown) => {
	const bodies: unknown[] = [];
	const {ask} = await openServer(t, echo(bodies));

	const {status} = await ask('POST', '/commands/background', options);

	t.is(status, 200);
	t.deepEqual(bodies, [body]);
});

const json = '{"command": "true"}';

test('accepts JSON', accepts, {body: json}, {command: 'true'});
test(
	'accepts JSON by another name',
	accepts,
	{body: json, headers: {'content-type': 'application/problem+json'}},
	{
		command: 'true',
	},
);
test(
	'accepts a type with a parameter, in any case',
	accepts,
	{body: json, headers: {'content-type': 'Application/JSON; charset=utf-8'}},
	{command: 'true'},
);
test('accepts a byte order mark', accepts, {body: `\uFEFF${json}`}, {command: 'true'});
test(
	'accepts the content-encoding "identity"',
	accepts,
	{body: json, headers: {'content-encoding': 'identity'}},
	{
		command: 'true',
	},
);

const rejects = test.macro(async (t, options: AskOptions, status: number, code: string, sentence: string | RegExp) => {
	const bodies: unknown[] = [];
	const {ask} = await openServer(t, echo(bodies));

	const answer = await ask('POST', '/commands/background', options);

	t.deepEqual({status: answer.status, code: answer.json['code']}, {status, code});
	const message = String(answer.json['message']);
	typeof sentence === 'string' ? t.is(message, sentence) : t.regex(message, sentence);
	t.deepEqual(bodies, []);
});

const media = 'UNSUPPORTED_MEDIA_TYPE';
const invalid = 'INVALID_REQUEST';

test(
	'rejects another type',
	rejects,
	{body: json, headers: {'content-type': 'text/plain'}},
	415,
	media,
	/application\/json/,
);
test(
	'rejects a form',
	rejects,
	{body: 'command=true', headers: {'content-type': 'application/x-www-form-urlencoded'}},
	415,
	media,
	/application\/json/,
);
test(
	'an empty body is none, whatever its type',
	rejects,
	{headers: {'content-type': 'text/plain'}},
	400,
	invalid,
	'The body is missing: send an object as JSON',
);
test('rejects what is no object', rejects, {body: '[]'}, 400, invalid, 'The body must be an object; got an array');
test(
	'rejects a compressed body',
	rejects,
	{body: gzipSync(json), headers: {'content-encoding': 'gzip'}},
	415,
	media,
	/content-encoding/,
);
test('rejects what is no JSON', rejects, {body: 'command'}, 400, invalid, /^The body is not valid JSON/);
test('rejects half a JSON', rejects, {body: '{"command":'}, 400, invalid, /: Unexpected end of JSON input$/);
test(
	'rejects what is no UTF-8',
	rejects,
	{body: Buffer.from([0x22, 0xff, 0x22])},
	400,
	invalid,
	'The body is not valid UTF-8',
);
test(
	'rejects duplicate keys',
	rejects,
	{body: '{"command": "true", "command": "false"}'},
	400,
	invalid,
	'The body has the key "command" twice in one object',
);
test(
	'rejects deep nesting',
	rejects,
	{body: '['.repeat(90_000)},
	400,
	invalid,
	'The body is nested deeper than 64 levels',
);
test(
	'rejects a body above the limit',
	rejects,
	{body: `{"command": "${'x'.repeat(100_000)}"}`},
	413,
	'PAYLOAD_TOO_LARGE',
	'The body must be at most 100000 bytes',
);

test('a duplicate key is named as the field', async t => {
	const {ask} = await openServer(t, echo());

	const {json} = await ask('POST', '/commands/background', {body: '{"env": {"A": "1", "A": "2"}}'});

	t.is(json['field'], 'A');
});

const sendsTooMuch = test.macro(async (t, headers: Record<string, string>) => {
	const {ask, port} = await openServer(t, echo());
	const body = Buffer.alloc(10_000_000, 'x');

	const before = process.memoryUsage.rss();
	const answers = await Promise.all(
		Array.from({length: 5}, () => ask('POST', '/commands/background', {body, headers})),
	);

	for (const {status, headers} of answers) {
		t.is(status, 413);
		t.is(headers.connection, 'close');
	}

	t.true(process.memoryUsage.rss() - before < 100_000_000);
	t.is((await ask('GET', '/ping')).status, 200, `port ${port} still answers`);
});

test('10 MB are refused, and the client hears it', sendsTooMuch, {});
test('10 MB in chunks are refused as well', sendsTooMuch, {'transfer-encoding': 'chunked'});
test('10 MB are refused, and a client that listens only when it has sent all hears it too', async t => {
	const {port} = await openServer(t, echo());
	const socket = connect(port, '127.0.0.1').setEncoding('utf8').pause();
	t.teardown(() => socket.destroy());
	const authorization = `Bearer ${await mint()}`;

	const head = `POST /commands/background HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n`;
	await promisify<string, void>(socket.write.bind(socket))(`${head}content-length: 10000000\r\n\r\n`);
	await promisify<Buffer, void>(socket.write.bind(socket))(Buffer.alloc(10_000_000, 'x'));
	const [answer] = await once(socket.resume(), 'data');

	t.regex(answer, /^HTTP\/1\.1 413 /);
});

test('10 MB are refused before they are sent, where the client asks first', async t => {
	const {port} = await openServer(t, echo());

	const answer = await exchange(
		port,
		[
			'POST /commands/background HTTP/1.1',
			'host: x',
			`authorization: Bearer ${await mint()}`,
			'content-length: 10000000',
			'expect: 100-continue',
			'\r\n',
		].join('\r\n'),
	);

	t.regex(answer, /^HTTP\/1\.1 413 /);
	t.notRegex(answer, /100 Continue/);
});

test('who asks first is told to go on', async t => {
	const {port} = await openServer(t, echo());

	const answer = await exchange(
		port,
		[
			'POST /commands/background HTTP/1.1',
			'host: x',
			`authorization: Bearer ${await mint()}`,
			`content-length: ${json.length}`,
			'expect: 100-continue',
			'connection: close',
			'\r\n',
		].join('\r\n'),
		json,
	);

	t.regex(answer, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
});

test('a body that ends early starts nothing', async t => {
	const bodies: unknown[] = [];
	const {ask, port, log} = await openServer(t, echo(bodies), {
		patience: {requestMs: 1000, headersMs: 1000, lookMs: 50},
	});

	const answer = await exchange(
		port,
		[
			'POST /commands/background HTTP/1.1',
			'host: x',
			`authorization: Bearer ${await mint()}`,
			'content-length: 50',
		].join('\r\n'),
		`\r\n\r\n${json}`,
	);

	t.regex(answer, /^HTTP\/1\.1 408 Request Timeout/);
	t.regex(answer, /"code":"REQUEST_TIMEOUT"/);
	t.deepEqual(bodies, []);
	t.is((await ask('GET', '/ping')).status, 200);
	t.notRegex(log.join(''), /"level":"error"/);
});

const takesNone = test.macro(async (t, method: string, target: string, options: AskOptions, message?: string) => {
	const forgotten: string[] = [];
	const {ask} = await openServer(t, {
		forget: async processId => {
			forgotten.push(processId);
			return aProcess();
		},
	});

	const {status, json} = await ask(method, target, options);

	t.is(status, message === undefined ? 200 : 400);
	if (message !== undefined) {
		t.like(json, {message, field: 'env_vars'});
	}

	t.is(forgotten.length, message === undefined ? 1 : 0);
});

const one = '/execute/processes/proc_1';
const unknown = 'env_vars is not a known field: no body is taken here';

test(
	'a body that nobody reads is refused, and nothing done',
	takesNone,
	'DELETE',
	one,
	{body: {env_vars: ['A']}},
	unknown,
);
test(
	'also one that would have narrowed what is removed',
	takesNone,
	'DELETE',
	'/env',
	{body: {env_vars: ['A']}},
	unknown,
);
test('also with GET, and without a token', takesNone, 'GET', '/ping', {body: {env_vars: []}, token: null}, unknown);
test(
	'also in chunks',
	takesNone,
	'DELETE',
	'/env',
	{body: {env_vars: 1}, headers: {'transfer-encoding': 'chunked'}},
	unknown,
);
test('an empty one is none', takesNone, 'DELETE', one, {headers: {'content-type': 'application/json'}});
test('nor does an empty object say anything', takesNone, 'DELETE', one, {body: {}});
test('nor one of no chunks', takesNone, 'DELETE', one, {body: '', headers: {'transfer-encoding': 'chunked'}});
