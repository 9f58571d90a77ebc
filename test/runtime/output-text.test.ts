import test from 'ava';
import {outputJson, wholeCharacters} from '../../runtime/output-text.js';
import {FakeOutput} from '../helpers/fake-output.js';

interface Shown {
	readonly offset: number;
	readonly next_offset: number;
	readonly truncated: boolean;
	readonly text: string;
}

async function show(output: FakeOutput, options: {offset?: number; limit?: number; tail?: number}): Promise<Shown> {
	return outputJson('proc_1', await output.read(options), options.tail !== undefined) as Shown;
}

const everyLength = 'aé€\u{1f600}z\u{10ffff}é';

test('a piece says where it is, what there is, and where to go on', async t => {
	const output = new FakeOutput(Buffer.from('0123456789'));

	t.deepEqual(outputJson('proc_1', await output.read({offset: 2, limit: 4}), false), {
		process_id: 'proc_1',
		stream: 'stdout',
		offset: 2,
		next_offset: 6,
		total_bytes: 10,
		gap: null,
		truncated: true,
		text: '2345',
	});
});

for (const limit of [4, 5, 6, 7, 100]) {
	test(`whoever asks on from next_offset gets every character once, ${limit} bytes at a time`, async t => {
		const output = new FakeOutput(Buffer.from(everyLength));
		let text = '';
		for (let offset = 0, isMore = true; isMore; ) {
			const piece = await show(output, {offset, limit});
			t.is(piece.offset, offset);
			text += piece.text;
			isMore = piece.truncated;
			offset = piece.next_offset;
		}

		t.is(text, everyLength);
	});
}

test('a character that is not complete yet is left for the next piece', async t => {
	const half = Buffer.from('a€').subarray(0, 3);

	t.like(await show(new FakeOutput(half, {hasEnded: false}), {}), {text: 'a', next_offset: 1, truncated: true});
	t.like(await show(new FakeOutput(half), {}), {text: 'a\ufffd', next_offset: 3, truncated: false});
});

test('what is not UTF-8 is marked, and never an error', async t => {
	const binary = Buffer.from(Array.from({length: 256}, (_, index) => 255 - index));

	for (let offset = 0; offset < 256; offset++) {
		const {text, next_offset} = await show(new FakeOutput(binary, {hasEnded: false}), {offset, limit: 4});

		t.true(next_offset > offset || offset > 252, `it goes on from ${offset}`);
		t.is(typeof text, 'string');
	}
});

test('of the end no character is cut in two', async t => {
	const output = new FakeOutput(Buffer.from(everyLength));

	for (let tail = 0; tail <= Buffer.byteLength(everyLength); tail++) {
		const {text, offset, next_offset} = await show(output, {tail});

		t.true(everyLength.endsWith(text), `${text} of ${tail} bytes`);
		t.is(offset, next_offset - Buffer.byteLength(text));
	}
});

test('it is said when something is missing before the end that was asked for, or was dropped', async t => {
	const output = new FakeOutput(Buffer.from('0123456789'), {baseOffset: 4});

	t.like(await show(output, {tail: 4}), {truncated: true, gap: null, offset: 6});
	t.like(await show(output, {offset: 1}), {truncated: true, gap: {from: 1, to: 4}, offset: 4});
	t.like(await show(output, {offset: 4}), {truncated: false, gap: null});
	t.like(await show(new FakeOutput(Buffer.from('0123')), {tail: 4}), {truncated: false});
});

test('the end of the last whole character is found, wherever the bytes end', t => {
	const bytes = Buffer.from('aé€\u{1f600}');

	t.deepEqual(
		Array.from({length: bytes.length + 1}, (_, length) => wholeCharacters(bytes.subarray(0, length))),
		[0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10],
	);
	t.is(wholeCharacters(Buffer.from([0x80, 0x80, 0x80, 0x80])), 4);
});
