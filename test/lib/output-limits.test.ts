import test, {type ExecutionContext} from 'ava';
import type {OutputExtent, OutputLog, OutputStream} from '../../lib/index.js';
import {commonBound, OutputLimits} from '../../lib/output-limits.js';
import {anEndedProcess, aRunningProcess} from '../helpers/a-process.js';
import {Parts} from '../helpers/parts.js';

const mebibyte = 1_048_576;

/** Streams without bytes: only how long they are. */
class FakeOutputLog implements Pick<OutputLog, 'extent' | 'drop'> {
	readonly dropped: string[] = [];
	readonly #extents = new Map<string, OutputExtent>();
	looks = 0;

	write(processId: string, stream: OutputStream, bytes: number): void {
		const {baseOffset, totalBytes} = this.extent(processId, stream);
		this.#extents.set(`${processId} ${stream}`, {baseOffset, totalBytes: totalBytes + bytes});
	}

	extent(processId: string, stream: OutputStream): OutputExtent {
		this.looks++;
		return this.#extents.get(`${processId} ${stream}`) ?? {baseOffset: 0, totalBytes: 0};
	}

	async drop(processId: string, stream: OutputStream, keepBytes: number): Promise<void> {
		if (processId === 'proc_bad') {
			throw new Error('mine');
		}

		const {totalBytes} = this.extent(processId, stream);
		this.#extents.set(`${processId} ${stream}`, {baseOffset: totalBytes - keepBytes, totalBytes});
		this.dropped.push(`${processId} ${stream}: ${keepBytes / mebibyte} MiB stay`);
	}
}

function open(t: ExecutionContext, ...processIds: string[]) {
	const parts = new Parts({output: {maxStreamBytes: 8 * mebibyte, maxTotalBytes: 32 * mebibyte, reserveBytes: 0}});
	const output = new FakeOutputLog();
	const {store, clock, settings, logger, admission, leftovers} = parts;
	const limits = new OutputLimits(store, output, clock, settings, logger, admission, leftovers);
	t.teardown(() => limits.close());
	for (const processId of processIds) {
		parts.put(aRunningProcess({processId}));
		admission.occupy(processId);
	}

	limits.open();
	return {parts, output, limits};
}

test('of a stream that is longer than it may be the oldest bytes are dropped, with some room to spare', async t => {
	const {parts, output} = open(t, 'proc_1');
	output.write('proc_1', 'stdout', 8 * mebibyte);
	output.write('proc_1', 'stderr', 9 * mebibyte);

	await parts.clock.advance(1000);

	t.deepEqual(output.dropped, ['proc_1 stderr: 7 MiB stay']);
});

test('while somebody writes too much, the next look comes soon', async t => {
	const {parts, output} = open(t, 'proc_1');
	output.write('proc_1', 'stdout', 9 * mebibyte);
	await parts.clock.advance(1000);
	output.write('proc_1', 'stdout', 9 * mebibyte);

	await parts.clock.advance(200);

	t.is(output.dropped.length, 2);
});

test('all streams together are held to the total: short ones keep what they have', async t => {
	const {parts, output} = open(t, 'proc_1', 'proc_2', 'proc_3', 'proc_4', 'proc_5');
	for (const processId of ['proc_1', 'proc_2', 'proc_3', 'proc_4']) {
		output.write(processId, 'stdout', 8 * mebibyte);
	}

	output.write('proc_5', 'stdout', 4 * mebibyte);

	await parts.clock.advance(1000);

	t.deepEqual(
		output.dropped,
		[1, 2, 3, 4].map(number => `proc_${number} stdout: 6.125 MiB stay`),
	);
});

test('one that has ended gets a last look, and no more', async t => {
	const {parts, output} = open(t, 'proc_1');
	await parts.clock.advance(1000);
	parts.admission.leave('proc_1');
	output.write('proc_1', 'stdout', 9 * mebibyte);

	await parts.clock.advance(1000);
	t.deepEqual(output.dropped, ['proc_1 stdout: 7 MiB stay']);
	const {looks} = output;
	await parts.clock.advance(5000);

	t.is(output.looks, looks);
});

test('so does one that began and ended between two looks', async t => {
	const {parts, output} = open(t);
	await parts.clock.advance(1000);

	parts.admission.enter('proc_1');
	output.write('proc_1', 'stdout', 9 * mebibyte);
	parts.admission.leave('proc_1');
	await parts.clock.advance(1000);

	t.deepEqual(output.dropped, ['proc_1 stdout: 7 MiB stay']);
});

test('so does one that ended while no supervisor was there', async t => {
	const parts = new Parts({output: {maxStreamBytes: mebibyte, maxTotalBytes: mebibyte, reserveBytes: 0}});
	const {store, clock, settings, logger, admission, leftovers} = parts;
	const output = new FakeOutputLog();
	const limits = new OutputLimits(store, output, clock, settings, logger, admission, leftovers);
	t.teardown(() => limits.close());
	const process = parts.put(aRunningProcess());
	output.write('proc_1', 'stdout', 2 * mebibyte);

	limits.open();
	// Recovery finds it ended before the first look.
	store.update(anEndedProcess({processId: process.processId}));
	await clock.advance(1000);

	t.is(output.dropped.length, 1);
});

test('what living descendants of an ended process write is bounded too', async t => {
	const {parts, output} = open(t);
	parts.leftovers.watch(parts.put(anEndedProcess()));

	output.write('proc_1', 'stdout', 9 * mebibyte);
	await parts.clock.advance(1000);

	t.deepEqual(output.dropped, ['proc_1 stdout: 7 MiB stay']);
});

test('a stream that cannot be shortened does not hold up the others, and is logged', async t => {
	const {parts, output} = open(t, 'proc_bad', 'proc_good');
	output.write('proc_bad', 'stdout', 9 * mebibyte);
	output.write('proc_good', 'stdout', 9 * mebibyte);

	await parts.clock.advance(1000);

	t.deepEqual(output.dropped, ['proc_good stdout: 7 MiB stay']);
	t.like(parts.logger.entries, [{level: 'warn', facts: {processId: 'proc_bad', stream: 'stdout'}}]);
});

test('a look that fails as a whole is logged, and the next one comes', async t => {
	const {parts, output} = open(t, 'proc_1');
	const {extent} = output;
	output.extent = () => {
		throw new Error('mine');
	};
	await parts.clock.advance(1000);
	t.like(parts.logger.entries, [{level: 'error'}]);

	output.extent = extent;
	output.write('proc_1', 'stdout', 9 * mebibyte);
	await parts.clock.advance(1000);

	t.is(output.dropped.length, 1);
});

test('after the close nothing is looked at', async t => {
	const {parts, output, limits} = open(t, 'proc_1');

	await limits.close();
	await parts.clock.advance(5000);

	t.is(output.looks, 0);
	t.is(parts.clock.timers, 0);
});

test('the bound of all is what the long ones may have each', t => {
	t.is(commonBound([], 100), Number.POSITIVE_INFINITY);
	t.is(commonBound([50, 50], 100), Number.POSITIVE_INFINITY);
	t.is(commonBound([80, 10, 80], 100), 45);
	t.is(commonBound([1000], 100), 100);
});

test('what those that run have written is known; who has ended since is not counted any more', async t => {
	const {parts, output, limits} = open(t, 'proc_1', 'proc_2');
	output.write('proc_1', 'stdout', 3);
	output.write('proc_1', 'stderr', 4);
	output.write('proc_2', 'stdout', 10);
	await parts.clock.advance(1000);

	const whileBothRun = limits.heldBytes;
	parts.admission.leave('proc_2');

	t.deepEqual([whileBothRun, limits.heldBytes], [17, 7]);
});
