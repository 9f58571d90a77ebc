import test from 'ava';
import {Deadlines} from '../../lib/deadlines.js';
import type {RunningProcess} from '../../lib/process.js';
import {anEndedProcess, aQueuedProcess, aRunningProcess, aStart, aStoppingProcess} from '../helpers/a-process.js';
import {FakeClock} from '../helpers/fake-clock.js';
import {RecordingLogger} from '../helpers/recording-logger.js';

/** Notes who was overdue, and how long after the beginning. */
function open() {
	const clock = new FakeClock();
	const logger = new RecordingLogger();
	const deadlines = new Deadlines(clock, logger);
	const startedAt = clock.uptimeMs();
	const overdue: string[] = [];
	deadlines.open(processId => overdue.push(`${processId} +${clock.uptimeMs() - startedAt}`));
	/** Starts now. */
	const running = (processId: string, timeoutMs: number): RunningProcess =>
		aRunningProcess({
			processId,
			command: {timeoutMs},
			start: {...aStart, identity: {...aStart.identity, startTicks: clock.uptimeMs() / 10}},
		});
	return {clock, logger, deadlines, overdue, running};
}

test('a process is overdue when its timeout has passed since its start, once', async t => {
	const {clock, deadlines, overdue, running} = open();
	deadlines.hold(running('a', 1000));

	await clock.advance(999);
	t.deepEqual(overdue, []);

	await clock.advance(100_000);
	t.deepEqual(overdue, ['a +1000']);
});

test('a process without a timeout is never overdue', async t => {
	const {clock, deadlines, overdue, running} = open();
	deadlines.hold(running('a', 0));

	await clock.advance(1_000_000);

	t.deepEqual(overdue, []);
	t.is(clock.timers, 0);
});

test('only what runs has a deadline', async t => {
	const {clock, deadlines, overdue} = open();
	for (const process of [aQueuedProcess(), aStoppingProcess(), anEndedProcess()]) {
		deadlines.hold(process);
	}

	await clock.advance(1_000_000);

	t.deepEqual(overdue, []);
});

test('a process whose time was over before it was held is overdue at once', async t => {
	const {clock, deadlines, overdue, running} = open();
	const process = running('a', 1000);
	clock.sleep(5000);

	deadlines.hold(process);
	await clock.advance(0);

	t.deepEqual(overdue, ['a +5000']);
});

test('a timeout above 2^31 milliseconds waits for its time', async t => {
	const {clock, deadlines, overdue, running} = open();
	deadlines.hold(running('a', 2_147_484_000));

	await clock.advance(2_147_483_990);
	t.deepEqual(overdue, []);

	await clock.advance(10);
	t.deepEqual(overdue, ['a +2147484000']);
});

test('each of many is overdue at its own time, whatever the order they came in', async t => {
	const {clock, deadlines, overdue, running} = open();
	const timeouts = Array.from({length: 500}, (_, index) => ((index * 7919 + 250) % 500) * 250 + 1000);

	for (const timeoutMs of timeouts) {
		deadlines.hold(running(`after-${timeoutMs}`, timeoutMs));
	}

	t.is(clock.timers, 1);
	await clock.advance(200_000);
	t.deepEqual(
		overdue,
		timeouts.sort((a, b) => a - b).map(timeoutMs => `after-${timeoutMs} +${timeoutMs}`),
	);
	t.is(clock.timers, 0);
});

test('a released process is never overdue, and the others are at their time', async t => {
	const {clock, deadlines, overdue, running} = open();
	deadlines.hold(running('a', 1000));
	deadlines.hold(running('b', 2000));

	deadlines.release('a');
	await clock.advance(10_000);

	t.deepEqual(overdue, ['b +2000']);
});

test('a wall clock that is set does not move a deadline', async t => {
	const {clock, deadlines, overdue, running} = open();
	const year = 365 * 24 * 60 * 60 * 1000;
	deadlines.hold(running('a', 1000));

	clock.setWallClock(clock.now() + year);
	await clock.advance(500);
	clock.setWallClock(clock.now() - 2 * year);
	await clock.advance(500);

	t.deepEqual(overdue, ['a +1000']);
});

test('a deadline that passed while the machine slept is seen within a minute', async t => {
	const {clock, deadlines, overdue, running} = open();
	const hour = 60 * 60 * 1000;
	deadlines.hold(running('a', hour));

	clock.sleep(2 * hour);
	await clock.advance(60_000);

	t.deepEqual(overdue, [`a +${2 * hour + 60_000}`]);
});

test('after the close nobody is overdue, and no timer is left', async t => {
	const {clock, deadlines, overdue, running} = open();
	deadlines.hold(running('a', 1000));

	deadlines.close();
	await clock.advance(10_000);

	t.deepEqual(overdue, []);
	t.is(clock.timers, 0);
});

test('one that could not be ended harms no other, and its turn comes again', async t => {
	const {clock, logger, deadlines, running} = open();
	const told: string[] = [];
	deadlines.open(processId => {
		told.push(processId);
		if (told.length === 1) {
			throw new Error('database or disk is full');
		}
	});
	deadlines.hold(running('a', 1000));
	deadlines.hold(running('b', 1000));
	deadlines.hold(running('c', 90_000));

	await clock.advance(10_000);
	t.deepEqual(told, ['a', 'b', 'a']);
	t.like(logger.entries, [{level: 'error', facts: {processId: 'a'}}]);

	await clock.advance(90_000);
	t.deepEqual(told, ['a', 'b', 'a', 'c']);
});
