import test from 'ava';
import {InputBlockedError, InputUnavailableError, type WriteOptions} from '../../lib/index.js';
import {TestDaemon} from '../helpers/daemon.js';
import {openServer} from '../helpers/http-server.js';
import {makeStateDir} from '../helpers/state-dir.js';

const path = '/execute/processes/proc_1/stdin';
const bytes = Buffer.from([0, 255, 10]);
const octets = {'content-type': 'application/octet-stream'};

const writes = test.macro(
	async (t, target: string, body: unknown, headers: Record<string, string>, data: Uint8Array, close: boolean) => {
		const written: unknown[] = [];
		const {ask} = await openServer(t, {
			write: async (processId: string, given: string | Uint8Array, options?: WriteOptions) => {
				written.push([processId, Buffer.from(given), options]);
			},
		});

		const {status, json} = await ask('POST', target, {body, headers});

		t.is(status, 200);
		t.deepEqual(json, {process_id: 'proc_1', bytes: data.length, closed: close});
		t.deepEqual(written, [['proc_1', Buffer.from(data), {close}]]);
	},
);

test('writes bytes as they are', writes, path, bytes, octets, bytes, false);
test('writes bytes, then closes', writes, `${path}?close=true`, bytes, octets, bytes, true);
test('writes nothing, and closes', writes, `${path}?close=true`, undefined, {}, Buffer.alloc(0), true);
test('writes text', writes, path, {data: 'grüße\n'}, {}, Buffer.from('grüße\n'), false);
test('writes base64', writes, path, {data: 'AP8K', encoding: 'base64', close: true}, {}, bytes, true);

test('what says neither that it is bytes nor that it is JSON is refused, with the types that are taken', async t => {
	const {ask} = await openServer(t);

	const {status, json} = await ask('POST', path, {
		body: 'hello',
		headers: {'content-type': 'application/x-www-form-urlencoded'},
	});

	t.is(status, 415);
	t.regex(String(json['message']), /application\/octet-stream or application\/json$/);
});

test('text that cannot be written is refused, not changed', async t => {
	const daemon = await TestDaemon.open(t, makeStateDir(t));
	const {process_id: processId} = await daemon.start({command: 'cat', stdin: true});

	const {status, json} = await daemon.ask('POST', `/execute/processes/${processId}/stdin`, {data: '\ud800'});

	t.is(status, 400);
	t.like(json, {field: 'data', message: 'data must be well-formed Unicode, without lone surrogates; got "\\ud800"'});
	await daemon.kill(processId);
});

const refuses = test.macro(async (t, body: object, message: string, field: string) => {
	const {ask} = await openServer(t);

	const {status, json} = await ask('POST', path, {body});

	t.is(status, 400);
	t.like(json, {code: 'INVALID_REQUEST', message, field});
});

test(
	'refuses what is not base64',
	refuses,
	{data: 'AP8', encoding: 'base64'},
	'data is not base64 (RFC 4648 section 4)',
	'data',
);
test('refuses data that is no text', refuses, {data: 5}, 'data must be a string; got 5', 'data');
test('refuses another encoding', refuses, {encoding: 'hex'}, 'encoding must be utf8 or base64; got "hex"', 'encoding');

test('closes', async t => {
	const closed: string[] = [];
	const {ask} = await openServer(t, {closeInput: async processId => void closed.push(processId)});

	const {status, json} = await ask('DELETE', path);

	t.is(status, 200);
	t.deepEqual(json, {process_id: 'proc_1', bytes: 0, closed: true});
	t.deepEqual(closed, ['proc_1']);
});

test('one that takes no input is a conflict, and says why and how much it took', async t => {
	const errors = [new InputUnavailableError('proc_1', 'undeclared'), new InputBlockedError('proc_1', 7, 10)];
	const {ask} = await openServer(t, {
		write: async () => {
			throw errors.shift();
		},
	});

	const undeclared = await ask('POST', path, {body: bytes, headers: octets});
	const blocked = await ask('POST', path, {body: bytes, headers: octets});

	t.deepEqual([undeclared.status, blocked.status], [409, 409]);
	t.like(undeclared.json, {
		message: 'Process proc_1 was started without "stdin": true: its standard input is empty',
		taken_bytes: 0,
	});
	t.like(blocked.json, {message: 'Process proc_1 does not read its input: 7 of 10 bytes were taken', taken_bytes: 7});
});

test('bytes beyond the limit are refused before they are read', async t => {
	const {ask} = await openServer(t, {}, {maxBodyBytes: 2});

	const {status} = await ask('POST', path, {body: bytes, headers: octets});

	t.is(status, 413);
});
