import test, {type ExecutionContext} from 'ava';
import {FakeOutput} from '../helpers/fake-output.js';
import {mint, openServer} from '../helpers/http-server.js';

const digits = Buffer.from('0123456789');

/** Asks for bytes of an output. */
async function open(t: ExecutionContext, output: FakeOutput) {
	const {port} = await openServer(t, {output: () => output});
	return async (query: string, headers: Record<string, string> = {}, method = 'GET') => {
		const response = await fetch(`http://127.0.0.1:${port}/execute/processes/proc_1/output${query}`, {
			method,
			headers: {authorization: `Bearer ${await mint()}`, connection: 'close', ...headers},
		});
		const header = (name: string) => response.headers.get(name);
		return {
			status: response.status,
			text: Buffer.from(await response.arrayBuffer()).toString('latin1'),
			type: header('content-type'),
			length: header('content-length'),
			range: header('content-range'),
			offset: header('x-output-offset'),
			gap: header('x-output-gap'),
		};
	};
}

test('bytes come exactly as they were written, by format or by Accept', async t => {
	const binary = Buffer.from(Array.from({length: 256}, (_, index) => index));
	const read = await open(t, new FakeOutput(binary));
	const expected = {
		status: 200,
		text: binary.toString('latin1'),
		type: 'application/octet-stream',
		length: '256',
		range: null,
		offset: '0',
		gap: null,
	};

	t.deepEqual(await read('?format=raw'), expected);
	t.deepEqual(await read('', {accept: 'text/html, application/octet-stream;q=0.9'}), expected);
	t.is((await read('?format=json', {accept: 'application/octet-stream'})).type, 'application/json');
});

test('bytes do not come to who takes none, or would rather have JSON', async t => {
	const read = await open(t, new FakeOutput(digits));
	const typeFor = async (accept: string) => (await read('', {accept})).type;

	for (const accept of [
		'application/octet-stream;q=0, application/json',
		'application/octet-stream; q=0.000',
		'application/octet-stream;q=0.5, application/json',
		'application/octet-streams',
		'*/*',
	]) {
		t.is(await typeFor(accept), 'application/json', accept);
	}

	t.is(await typeFor('Application/Octet-Stream;Q=0.5, application/json;q=0.1'), 'application/octet-stream');
});

test('a part is asked for by the query', async t => {
	const read = await open(t, new FakeOutput(digits));

	t.like(await read('?format=raw&offset=3&limit=4'), {status: 200, text: '3456', offset: '3', length: '4'});
	t.like(await read('?format=raw&tail=2'), {status: 200, text: '89', offset: '8'});
	t.like(await read('?format=raw&offset=100'), {status: 200, text: '', offset: '10', length: '0'});
});

const ranges = test.macro({
	async exec(t, range: string, expected: object) {
		const read = await open(t, new FakeOutput(digits));

		t.like(await read('?format=raw', {range}), expected);
	},
	title: (_, range) => `Range: ${range}`,
});

test(ranges, 'bytes=2-4', {status: 206, text: '234', range: 'bytes 2-4/10'});
test(ranges, 'bytes=7-', {status: 206, text: '789', range: 'bytes 7-9/10'});
test(ranges, 'bytes=7-100', {status: 206, text: '789', range: 'bytes 7-9/10'});
test(ranges, 'bytes=-3', {status: 206, text: '789', range: 'bytes 7-9/10'});
test(ranges, 'bytes=-10', {status: 206, text: '0123456789', range: 'bytes 0-9/10'});
test(ranges, 'bytes=-99999', {status: 206, text: '0123456789', range: 'bytes 0-9/10'});
test(ranges, 'bytes=-0', {status: 416, range: 'bytes */10'});
test(ranges, 'bytes=10-', {status: 416, range: 'bytes */10'});
test(ranges, 'bytes=0-1,4-5', {status: 200, text: '0123456789', range: null});
test(ranges, 'lines=0-1', {status: 200, range: null});
test(ranges, 'nonsense', {status: 200, range: null});

test('a range and another part together are refused', async t => {
	const read = await open(t, new FakeOutput(digits));

	t.like(await read('?format=raw&tail=1', {range: 'bytes=0-1'}), {status: 400});
});

test('what was dropped is told, and what is kept is sent', async t => {
	const read = await open(t, new FakeOutput(digits, {baseOffset: 6}));

	t.like(await read('?format=raw'), {status: 200, text: '6789', offset: '6', gap: '0-6'});
	t.like(await read('?format=raw', {range: 'bytes=4-7'}), {
		status: 206,
		text: '67',
		range: 'bytes 6-7/10',
		gap: '4-6',
	});
	t.like(await read('?format=raw', {range: 'bytes=0-3'}), {status: 416, range: 'bytes */10'});
});

const pages = test.macro({
	async exec(t, query: string, facts: object, expected: {text: string; offset: number; gap: object | null}) {
		const output = new FakeOutput(digits, facts);
		const read = await open(t, output);
		const {text, offset, gap} = await read(`?format=raw&${query}`);
		const json = JSON.parse((await read(`?${query}`)).text);

		t.deepEqual({text: json.text, offset: json.offset, gap: json.gap}, expected);
		t.deepEqual({text, offset: Number(offset)}, {text: expected.text, offset: expected.offset});
		t.is(gap === null, expected.gap === null);
		t.is(json.next_offset, expected.offset + expected.text.length);
	},
	title: (_, query, facts) => `the same as bytes and as JSON: ${query} ${JSON.stringify(facts)}`,
});

test(pages, 'offset=0&limit=4', {}, {text: '0123', offset: 0, gap: null});
test(pages, 'offset=0&limit=4', {baseOffset: 5}, {text: '5678', offset: 5, gap: {from: 0, to: 5}});
test(pages, 'offset=3&limit=4', {baseOffset: 5}, {text: '5678', offset: 5, gap: {from: 3, to: 5}});
test(pages, 'offset=8&limit=4', {baseOffset: 5}, {text: '89', offset: 8, gap: null});
test(pages, 'tail=6', {baseOffset: 5}, {text: '56789', offset: 5, gap: null});
test(pages, 'offset=12', {}, {text: '', offset: 10, gap: null});
test(pages, 'offset=9007199254740991&limit=4', {baseOffset: 5}, {text: '', offset: 10, gap: null});

test('a long output is read as it is sent, not all at once', async t => {
	const output = new FakeOutput(Buffer.alloc(1_000_000, 'x'));
	const read = await open(t, output);

	const {text, length} = await read('?format=raw');

	t.is(text.length, 1_000_000);
	t.is(length, '1000000');
	t.true(output.reads.length > 4);
});

test('HEAD tells how long it is, and reads nothing of it', async t => {
	const output = new FakeOutput(digits);
	const read = await open(t, output);

	t.like(await read('?format=raw', {}, 'HEAD'), {status: 200, length: '10', text: ''});
	t.deepEqual(output.reads, [10]);
});

test('what is dropped before its turn cuts the answer off', async t => {
	class Shrinking extends FakeOutput {
		override async read(options: {offset?: number}) {
			const piece = await super.read(options);
			return (options.offset ?? 0) > 0 ? {...piece, gap: {from: 0, to: 1}} : piece;
		}
	}

	const read = await open(t, new Shrinking(Buffer.alloc(1_000_000, 'x')));

	await t.throwsAsync(read('?format=raw'));
});

const refuses = test.macro({
	async exec(t, query: string, field: string) {
		const {ask} = await openServer(t, {output: () => new FakeOutput(digits)});

		t.like(await ask('GET', `/execute/processes/proc_1/output${query}`), {
			status: 400,
			json: {code: 'INVALID_REQUEST', field},
		});
	},
	title: (_, query) => `refused: ${query}`,
});

test(refuses, '?stream=stdin', 'stream');
test(refuses, '?offset=-1', 'offset');
test(refuses, '?limit=3', 'limit');
test(refuses, '?offset=1&tail=1', 'tail');
test(refuses, '?format=xml', 'format');
test(refuses, '?bytes=1', 'bytes');

test('without more, the first part of standard output comes as JSON', async t => {
	const {ask} = await openServer(t, {output: () => new FakeOutput(digits)});

	t.like(await ask('GET', '/execute/processes/proc_1/output'), {
		status: 200,
		json: {process_id: 'proc_1', stream: 'stdout', offset: 0, next_offset: 10, total_bytes: 10, text: '0123456789'},
	});
});

test('what cannot be an id is not looked for', async t => {
	const {ask} = await openServer(t);

	t.like(await ask('GET', '/execute/processes/..%2f..%2fetc/output'), {status: 404});
	t.like(await ask('GET', '/execute/processes/%2e%2e/stream'), {status: 404});
});
