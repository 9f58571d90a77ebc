import test from 'ava';
import {InputBlockedError, InputUnavailableError, ShuttingDownError} from '../../lib/errors.js';
import {InputQueue} from '../../lib/input-queue.js';
import type {InputPipe} from '../../lib/ports.js';
import {anEndedProcess, aQueuedProcess, aRunningProcess} from '../helpers/a-process.js';
import {Parts} from '../helpers/parts.js';

/** A pipe with as much room as the test gives it. */
class FakePipe implements InputPipe {
	room: number | null = 0;
	taken = '';
	isClosed = false;

	isOpen(): boolean {
		return !this.isClosed;
	}

	write(_: string, bytes: Uint8Array): number | null {
		if (this.room === null) {
			return null;
		}

		const count = Math.min(this.room, bytes.length);
		this.taken += Buffer.from(bytes.subarray(0, count)).toString();
		this.room -= count;
		return count;
	}

	close(): void {
		this.isClosed = true;
	}
}

function open() {
	const parts = new Parts();
	const pipe = new FakePipe();
	parts.put(aRunningProcess({command: {stdin: true}}));
	const queue = new InputQueue(parts.store, pipe, parts.clock);
	const write = (text: string, close = false) => queue.write('proc_1', Buffer.from(text), {close, timeoutMs: 1000});
	return {...parts, store: parts.store, put: parts.put.bind(parts), pipe, queue, write};
}

test('a writer waits for room, and who came later waits for the writer', async t => {
	const {clock, pipe, write} = open();
	pipe.room = 3;
	const first = write('aaaaa');
	const second = write('bb', true);

	await clock.advance(100);
	const before = pipe.taken;
	pipe.room = 100;
	await clock.advance(100);
	await Promise.all([first, second]);

	t.is(before, 'aaa');
	t.is(pipe.taken, 'aaaaabb');
	t.true(pipe.isClosed);
});

test('a pipe that stays full is told with what it took; the next writer has a time of its own', async t => {
	const {clock, pipe, write} = open();
	pipe.room = 3;
	const first = t.throwsAsync(write('aaaaa', true), {instanceOf: InputBlockedError});
	const second = write('bb');

	await clock.advance(1500);
	pipe.room = 100;
	await clock.advance(500);

	t.like(await first, {takenBytes: 3, givenBytes: 5});
	await second;
	t.is(pipe.taken, 'aaabb');
	t.false(pipe.isClosed);
});

test('what is closed while a writer waits, takes no more, and says how much it took', async t => {
	const {clock, pipe, write} = open();
	pipe.room = 3;
	const error = t.throwsAsync(write('aaaaa'), {instanceOf: InputUnavailableError});
	await clock.advance(10);

	pipe.close();
	await clock.advance(100);

	t.like(await error, {why: 'closed', takenBytes: 3});
});

test('one that runs no more, not yet, or reads nothing takes no input', async t => {
	const {pipe, put, queue} = open();
	put(aQueuedProcess({processId: 'proc_2', command: {stdin: true}}));
	put(anEndedProcess({processId: 'proc_3', command: {stdin: true}}));
	put(aRunningProcess({processId: 'proc_4'}));
	pipe.room = null;
	const why = async (processId: string) => {
		const work = queue.write(processId, Buffer.from('x'), {close: false, timeoutMs: 0});
		return (await t.throwsAsync(work, {instanceOf: InputUnavailableError}))?.why;
	};

	const found = await Promise.all(['proc_1', 'proc_2', 'proc_3', 'proc_4'].map(why));

	t.deepEqual(found, ['unread', 'queued', 'ended', 'undeclared']);
});

test('who waits for room is told when the supervisor is closed', async t => {
	const {clock, queue, write} = open();
	const error = t.throwsAsync(write('a'), {instanceOf: ShuttingDownError});
	await clock.advance(10);

	queue.shut();
	await clock.advance(100);

	await error;
	t.pass();
});
