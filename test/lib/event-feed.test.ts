import test from 'ava';
import type {EventsOptions} from '../../lib/api.js';
import type {EventFeedItem} from '../../lib/events.js';
import {recordEnd, recordStart} from '../../lib/transitions.js';
import {aStart} from '../helpers/a-process.js';
import {settled} from '../helpers/fake-clock.js';
import {Parts} from '../helpers/parts.js';

const never = () => new AbortController().signal;

/** Three events of a process, from its acceptance to its end. */
function runThrough(parts: Parts, processId: string) {
	const running = recordStart(parts.accept({processId}), aStart);
	parts.ledger.record(running);
	const ended = recordEnd(running, {exitCode: 0, endedAt: parts.clock.now(), durationMs: 1});
	parts.ledger.record(ended);
	return ended;
}

/** For instance `3 ended proc_1`, or `gap 1-3`. */
function inShort(item: EventFeedItem): string {
	return item.type === 'gap'
		? `gap ${item.from}-${item.to}`
		: `${item.sequence} ${item.type} ${item.process.processId}`;
}

/** Takes what is there, and says whether it still waits for more. */
function follow(parts: Parts, options: EventsOptions = {}, closing = never()) {
	const told: string[] = [];
	const feed = parts.feed.subscribe(options, closing);
	const state = {told, feed, hasEnded: false};
	void (async () => {
		for await (const item of feed) {
			told.push(inShort(item));
		}

		state.hasEnded = true;
	})();
	return state;
}

test('who names no number is told what comes from then on, also if it asks late', async t => {
	const parts = new Parts();
	runThrough(parts, 'proc_before');
	const feed = parts.feed.subscribe({}, never());

	parts.accept({processId: 'proc_after'});
	const {value} = await feed.next();

	t.is(value && inShort(value), '4 queued proc_after');
});

test('who names its last number is told all that came since, and goes on with what comes', async t => {
	const parts = new Parts();
	runThrough(parts, 'proc_1');
	const {told} = follow(parts, {after: 1});
	await settled();

	parts.accept({processId: 'proc_2'});
	await settled();

	t.deepEqual(told, ['2 started proc_1', '3 ended proc_1', '4 queued proc_2']);
});

test('who wants those of one owner is told nothing of others, before or after, but of what is missing', async t => {
	const parts = new Parts();
	parts.retention.forget(runThrough(parts, 'proc_gone'));
	parts.accept({processId: 'proc_1', owner: 'alice'});
	parts.accept({processId: 'proc_2', owner: 'bob'});
	const {told} = follow(parts, {after: 0, owner: 'alice'});
	await settled();

	parts.accept({processId: 'proc_3', owner: 'bob'});
	parts.accept({processId: 'proc_4'});
	parts.accept({processId: 'proc_5', owner: 'alice'});
	await settled();

	t.deepEqual(told, ['gap 1-3', '5 queued proc_1', '9 queued proc_5']);
});

test('an event tells the process as it was right after it', async t => {
	const parts = new Parts();
	runThrough(parts, 'proc_1');
	const announced = [...parts.events];

	const told = [];
	for await (const item of parts.feed.subscribe({after: 0}, never())) {
		if (told.push(item) === 3) {
			break;
		}
	}

	t.deepEqual(told, announced);
});

test('what is stored while a subscriber goes through what was stored before comes once, in its place', async t => {
	const parts = new Parts();
	for (let number = 1; number <= 60; number++) {
		runThrough(parts, `proc_${number}`);
	}

	const numbers: number[] = [];
	for await (const item of parts.feed.subscribe({after: 0}, never())) {
		if (item.type !== 'gap' && numbers.push(item.sequence) % 10 === 0 && numbers.length <= 100) {
			parts.accept({processId: `proc_late_${numbers.length}`});
		}

		if (numbers.length === 190) {
			break;
		}
	}

	t.deepEqual(
		numbers,
		Array.from({length: 190}, (_, index) => index + 1),
	);
});

test('one that takes nothing costs the bus nothing, and is told all of it later', async t => {
	const parts = new Parts();
	const feed = parts.feed.subscribe({}, never());
	const first = feed.next();
	parts.accept({processId: 'proc_0'});
	await first;

	for (let number = 1; number <= 200; number++) {
		parts.accept({processId: `proc_${number}`});
	}

	for (let number = 1; number <= 200; number++) {
		const {value} = await feed.next();
		t.is(value && inShort(value), `${number + 1} queued proc_${number}`);
	}
});

test('an event that wakes many is read once', async t => {
	const parts = new Parts();
	let reads = 0;
	const {list} = parts.eventStore;
	parts.eventStore.list = query => {
		reads++;
		return list.call(parts.eventStore, query);
	};
	const many = Array.from({length: 100}, () => follow(parts));
	await settled();

	parts.accept({processId: 'proc_1'});
	await settled();

	t.deepEqual(new Set(many.flatMap(({told}) => told)), new Set(['1 queued proc_1']));
	t.true(many.every(({told}) => told.length === 1));
	t.is(reads, 1);
});

test('events can be had of one process, and of some types', async t => {
	const parts = new Parts();
	const [ofOne, ends, both] = [
		follow(parts, {processId: 'proc_1'}),
		follow(parts, {types: ['ended']}),
		follow(parts, {processId: 'proc_2', types: ['queued', 'ended']}),
	];
	await settled();

	runThrough(parts, 'proc_1');
	runThrough(parts, 'proc_2');
	await settled();

	t.deepEqual(ofOne.told, ['1 queued proc_1', '2 started proc_1', '3 ended proc_1']);
	t.deepEqual(ends.told, ['3 ended proc_1', '6 ended proc_2']);
	t.deepEqual(both.told, ['4 queued proc_2', '6 ended proc_2']);
});

test('a forgotten process takes its events along; who has not seen them is told so, and is told of that', async t => {
	const parts = new Parts();
	const first = runThrough(parts, 'proc_1');
	parts.accept({processId: 'proc_2'});
	parts.retention.forget(first);

	const {told} = follow(parts, {after: 1});
	await settled();

	t.deepEqual(told, ['gap 2-3', '4 queued proc_2', '5 forgotten proc_1']);
});

test('who has seen what is gone is told of no gap', async t => {
	const parts = new Parts();
	parts.retention.forget(runThrough(parts, 'proc_1'));

	const {told} = follow(parts, {after: 3});
	await settled();

	t.deepEqual(told, ['4 forgotten proc_1']);
});

test('what is kept of the numbers in a gap follows it', async t => {
	const parts = new Parts();
	parts.accept({processId: 'proc_long'});
	parts.retention.forget(runThrough(parts, 'proc_1'));

	const {told} = follow(parts, {after: 0});
	await settled();

	t.deepEqual(told, ['gap 1-4', '1 queued proc_long', '5 forgotten proc_1']);
});

test('a gap is told once, however much of its numbers is kept', async t => {
	const parts = new Parts();
	for (let number = 1; number <= 120; number++) {
		parts.accept({processId: `proc_${number}`});
	}

	parts.retention.forget(runThrough(parts, 'proc_gone'));

	const {told} = follow(parts, {after: 10});
	await settled();

	t.deepEqual(
		told.filter(item => !item.includes('queued')),
		['gap 11-123', '124 forgotten proc_gone'],
	);
	t.is(told.length, 112);
});

test('of a process that is known nothing is missing, whatever else was forgotten', async t => {
	const parts = new Parts();
	parts.accept({processId: 'proc_long'});
	parts.retention.forget(runThrough(parts, 'proc_1'));

	const known = follow(parts, {after: 0, processId: 'proc_long'});
	const forgotten = follow(parts, {after: 0, processId: 'proc_1'});
	await settled();

	t.deepEqual(known.told, ['1 queued proc_long']);
	t.deepEqual(forgotten.told, ['gap 1-4', '5 forgotten proc_1']);
});

test('a slow subscriber is told what was dropped before it came to it', async t => {
	const parts = new Parts();
	for (let number = 1; number <= 50; number++) {
		parts.accept({processId: `proc_${number}`});
	}

	const last = runThrough(parts, 'proc_last');
	const feed = parts.feed.subscribe({after: 49}, never());
	const told = [inShort((await feed.next()).value as EventFeedItem)];
	const slow = parts.feed.subscribe({after: 0}, never());
	await slow.next();
	parts.retention.forget(last);
	for await (const item of slow) {
		if (told.push(inShort(item)) === 52) {
			break;
		}
	}

	t.deepEqual(told.slice(0, 2), ['50 queued proc_50', '2 queued proc_2']);
	t.deepEqual(told.slice(-2), ['gap 51-53', '54 forgotten proc_last']);
});

test('numbers that were lost with the power are told as a gap, and what is given them is told too', async t => {
	const parts = new Parts();
	parts.accept({processId: 'proc_1'});
	const {told} = follow(parts, {after: 3});
	await settled();

	runThrough(parts, 'proc_2');
	await settled();

	t.deepEqual(told, ['gap 2-3', '2 queued proc_2', '3 started proc_2', '4 ended proc_2']);
});

test('a subscription ends without an error when its signal is aborted, or the supervisor is closed', async t => {
	const parts = new Parts();
	const [mine, closing] = [new AbortController(), new AbortController()];
	const [one, other] = [follow(parts, {signal: mine.signal}, closing.signal), follow(parts, {}, closing.signal)];
	await settled();

	mine.abort();
	await settled();
	t.deepEqual([one.hasEnded, other.hasEnded], [true, false]);

	closing.abort();
	await settled();
	t.true(other.hasEnded);
});

test('the store is not asked any more after the end', async t => {
	const parts = new Parts();
	const closing = new AbortController();
	runThrough(parts, 'proc_1');
	const feed = parts.feed.subscribe({after: 0}, closing.signal);
	const late = parts.feed.subscribe({after: 0}, closing.signal);
	await feed.next();

	closing.abort();
	parts.store.close();

	t.deepEqual(
		[await feed.next(), await late.next()],
		[
			{done: true, value: undefined},
			{done: true, value: undefined},
		],
	);
});

test('who leaves is forgotten by the bus', async t => {
	const parts = new Parts();
	let watchers = 0;
	const {watch} = parts.bus;
	parts.bus.watch = watcher => {
		const unwatch = watch.call(parts.bus, watcher);
		watchers++;
		return () => {
			watchers--;
			unwatch();
		};
	};
	parts.accept();

	for await (const _ of parts.feed.subscribe({after: 0}, never())) {
		t.is(watchers, 1);
		break;
	}

	t.is(watchers, 0);
});
