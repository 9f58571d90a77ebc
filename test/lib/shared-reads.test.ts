import test from 'ava';
import type {OutputPiece} from '../../lib/index.js';
import {SharedReads} from '../../lib/shared-reads.js';
import {settled} from '../helpers/fake-clock.js';

/** Output that is read when a test says so. */
class HeldOutput {
	readonly asked: string[] = [];
	readonly #answers: Array<(text: string, gapFrom?: number) => void> = [];
	readonly #failures: Array<(error: Error) => void> = [];

	async read(processId: string, stream: string, offset: number, limit: number): Promise<OutputPiece> {
		this.asked.push(`${processId} ${stream} ${offset} ${limit}`);
		return new Promise((resolve, reject) => {
			this.#failures.push(reject);
			this.#answers.push((text, gapFrom) => {
				const bytes = Buffer.from(text);
				const gap = gapFrom === undefined ? null : {from: gapFrom, to: offset};
				const nextOffset = offset + bytes.length;
				resolve({bytes, offset, nextOffset, totalBytes: nextOffset, baseOffset: 0, gap});
			});
		});
	}

	answer(text: string, gapFrom?: number): void {
		this.#failures.shift();
		this.#answers.shift()?.(text, gapFrom);
	}

	fail(error: Error): void {
		this.#answers.shift();
		this.#failures.shift()?.(error);
	}
}

function open(readers = 2) {
	const output = new HeldOutput();
	const reads = new SharedReads(output, 'proc_1');
	for (let i = 0; i < readers; i++) {
		reads.join();
	}

	return {output, reads, read: () => reads.read('stdout', 0, 10)};
}

test('what several read at the same moment, and a little later, is read once', async t => {
	const {output, read} = open(3);

	const together = Promise.all([read(), read()]);
	output.answer('abc');
	const [one, other] = await together;
	const late = await read();

	t.deepEqual(output.asked, ['proc_1 stdout 0 10']);
	t.is(Buffer.from(one.bytes).toString(), 'abc');
	t.is(other.bytes, one.bytes);
	t.is(late.bytes, one.bytes);
});

test('another place, another stream and another length are read by themselves', async t => {
	const {output, reads} = open();

	void reads.read('stdout', 0, 10);
	void reads.read('stdout', 5, 10);
	void reads.read('stderr', 0, 10);
	void reads.read('stdout', 0, 5);

	t.is(new Set(output.asked).size, 4);
});

test('one that came while another found nothing reads again: what it was told of may have been written since', async t => {
	const {output, read} = open();

	const first = read();
	const second = read();
	output.answer('');
	t.is((await first).bytes.length, 0);
	await settled();
	output.answer('new');

	t.is(Buffer.from((await second).bytes).toString(), 'new');
});

test('a failure and a gap are told to the one who met them', async t => {
	const {output, read} = open();

	const first = read();
	const second = read();
	output.fail(new Error('no disk'));
	await t.throwsAsync(first, {message: 'no disk'});
	await settled();
	output.answer('abc', 0);
	t.truthy((await second).gap);

	const third = read();
	await settled();
	output.answer('abc');
	t.is((await third).gap, null);
});

test('of the pieces that were read the last are kept', async t => {
	const {output, reads} = open();
	const readAt = async (offset: number) => {
		const before = output.asked.length;
		const reading = reads.read('stdout', offset, 10);
		output.answer('abc');
		await reading;
		return output.asked.length > before;
	};
	for (let offset = 0; offset <= 32; offset++) {
		await readAt(offset);
	}

	t.false(await readAt(1));
	t.true(await readAt(0));
});

test('one alone shares with nobody, and nothing is kept when only one is left', async t => {
	const {output, reads, read} = open(2);
	const first = read();
	output.answer('abc');
	await first;

	reads.leave();
	void read();
	reads.join();
	void read();

	t.is(output.asked.length, 3);
	reads.leave();
	reads.leave();
	t.false(reads.isUsed);
});
