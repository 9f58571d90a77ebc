import test from 'ava';
import {anEndedProcess, aRunningProcess, aStart, type Facts} from '../helpers/a-process.js';
import {settled} from '../helpers/fake-clock.js';
import {Parts, someSettings} from '../helpers/parts.js';

const unbounded = {
	maxAgeMs: Number.POSITIVE_INFINITY,
	maxEnded: Number.POSITIVE_INFINITY,
};

/** A process with files, that ended so long ago. */
function putEnded(parts: Parts, processId: string, agoMs: number, facts: Facts & {leftover?: number} = {}) {
	const {state, ...process} = anEndedProcess({processId, ...facts});
	const ended = parts.put({...process, state: {...state, endedAt: parts.clock.now() - agoMs}});
	parts.launcher.prepare({...ended, state: {status: 'queued'}}, new Map());
	return ended;
}

/** Names of those that are remembered, and of those that have files. */
function kept(parts: Parts): {rows: string[]; files: string[]} {
	return {
		rows: parts.store
			.list({limit: 10_000})
			.map(({processId}) => processId)
			.sort(),
		files: parts.launcher.listPrepared().sort(),
	};
}

test('a process that is forgotten leaves no row, no key, no file, no cgroup and no deadline', t => {
	const parts = new Parts();
	const cgroup = '/sys/fs/cgroup/nohupd-0123456789ab/proc_1';
	const released: string[] = [];
	parts.confinement.release = path => released.push(path) > 0;
	const {process} = parts.store.insert(
		{...putEnded(parts, 'proc_x', 0, {cgroup}), processId: 'proc_1', state: {status: 'queued'}},
		0,
		{key: 'k', owner: null, fingerprint: 'f'},
	);
	const ended = anEndedProcess({...process});
	parts.store.update(ended);

	parts.retention.forget({...ended, cgroup});

	t.is(parts.store.find('proc_1'), null);
	t.is(parts.store.findByIdempotencyKey('k', null), null);
	t.deepEqual(kept(parts), {rows: ['proc_x'], files: ['proc_x']});
	t.deepEqual(released, [cgroup]);
	t.deepEqual(parts.announced, ['forgotten']);
});

test('files that cannot be removed are logged: the process is forgotten all the same', t => {
	const parts = new Parts();
	const ended = putEnded(parts, 'proc_1', 0);
	parts.launcher.discard = () => {
		throw new Error('EACCES');
	};

	parts.retention.forget(ended);

	t.is(parts.store.find('proc_1'), null);
	t.like(parts.logger.entries, [{level: 'warn', facts: {processId: 'proc_1'}}]);
});

test('who was forgotten is not forgotten again', t => {
	const parts = new Parts();
	const ended = putEnded(parts, 'proc_1', 0);

	parts.retention.forget(ended);
	parts.retention.forget(ended);

	t.deepEqual(parts.announced, ['forgotten']);
});

test('those that ended too long ago are forgotten, some time after the start', async t => {
	const parts = new Parts({retention: {...unbounded, maxAgeMs: 60_000}});
	putEnded(parts, 'proc_old', 59_000);
	putEnded(parts, 'proc_new', 0);

	parts.retention.open();
	await parts.clock.advance(900);
	t.is(kept(parts).rows.length, 2);
	await parts.clock.advance(10_000);

	t.deepEqual(kept(parts), {rows: ['proc_new'], files: ['proc_new']});
	parts.retention.close();
});

test('of too many those are forgotten whose end is the longest ago', async t => {
	const parts = new Parts({retention: {...unbounded, maxEnded: 2}});
	putEnded(parts, 'proc_1', 1000);
	putEnded(parts, 'proc_2', 4000);
	putEnded(parts, 'proc_3', 3000);
	putEnded(parts, 'proc_4', 2000);

	parts.retention.open();
	await parts.clock.advance(11_000);

	t.deepEqual(kept(parts), {rows: ['proc_1', 'proc_4'], files: ['proc_1', 'proc_4']});
	parts.retention.close();
});

test('of those whose output takes too much on the disk the oldest go, until the rest fits beside what runs', async t => {
	const parts = new Parts({retention: unbounded, output: {...someSettings.output, maxTotalBytes: 120}});
	parts.outputLimits.heldBytes = 20;
	for (const [processId, agoMs, bytes] of [
		['proc_1', 4000, 1],
		['proc_2', 3000, 60],
		['proc_3', 2000, 60],
		['proc_4', 1000, 40],
	] as const) {
		putEnded(parts, processId, agoMs);
		parts.launcher.sizes.set(processId, bytes);
	}

	parts.retention.open();
	await parts.clock.advance(11_000);

	t.deepEqual(kept(parts).rows, ['proc_3', 'proc_4']);
	parts.retention.close();
});

test('what has not ended, or is alive in part, is never forgotten', async t => {
	const parts = new Parts({retention: {maxAgeMs: 0, maxEnded: 0}});
	parts.put(aRunningProcess({processId: 'proc_running'}));
	parts.accept({processId: 'proc_queued'});
	putEnded(parts, 'proc_left', 60_000, {leftover: 1});
	putEnded(parts, 'proc_gone', 50_000);
	// Nobody has counted it yet.
	parts.terminator.leftover.set('proc_left', 1);

	parts.retention.open();
	await parts.clock.advance(11_000);

	t.deepEqual(kept(parts).rows, ['proc_left', 'proc_queued', 'proc_running']);
	parts.terminator.leave('proc_left');
	await parts.clock.advance(70_000);
	t.deepEqual(kept(parts).rows, ['proc_queued', 'proc_running']);
	parts.retention.close();
	parts.leftovers.close();
	parts.deadlines.close();
	t.is(parts.clock.timers, 0);
});

test('the output of one of which nobody has seen yet whether it left anything behind is not counted', async t => {
	const parts = new Parts({retention: unbounded});
	const ended = putEnded(parts, 'proc_1', 0);
	parts.retention.open();
	await parts.clock.advance(9990);
	parts.leftovers.watch(ended);

	await parts.clock.advance(15);
	parts.retention.close();

	t.deepEqual(parts.archive.listUncounted(10), ['proc_1']);
	parts.leftovers.close();
});

test('after many ends it is looked again at once, else after a minute', async t => {
	const parts = new Parts({retention: {...unbounded, maxEnded: 0}});
	parts.retention.open();
	await parts.clock.advance(11_000);
	putEnded(parts, 'proc_1', 0);

	await parts.clock.advance(30_000);
	t.deepEqual(kept(parts).rows, ['proc_1']);
	await parts.clock.advance(31_000);
	t.deepEqual(kept(parts).rows, []);

	putEnded(parts, 'proc_2', 0);
	for (let number = 0; number < 300; number++) {
		parts.accept({processId: `proc_queued_${number}`});
	}

	await parts.clock.advance(2000);
	t.is(parts.store.find('proc_2'), null);
	parts.retention.close();
});

test('many are forgotten in small steps, between which others have their turn', async t => {
	const parts = new Parts({retention: {...unbounded, maxEnded: 50}});
	for (let number = 0; number < 500; number++) {
		putEnded(parts, `proc_${number}`, 1000);
	}

	const steps: number[] = [];
	parts.bus.on('forgotten', () => steps.push(parts.clock.uptimeMs()));
	parts.retention.open();
	await parts.clock.advance(60_000);

	t.is(kept(parts).rows.length, 50);
	t.is(steps.length, 450);
	t.true(new Set(steps).size >= 90);
	// One look for each hundred.
	t.true(parts.terminator.surveys <= 6);
	parts.retention.close();
});

test('the word that a process was forgotten is kept as long as an ended one would be', async t => {
	const parts = new Parts({retention: {...unbounded, maxAgeMs: 100_000, maxEnded: 2}});
	for (const number of [1, 2, 3]) {
		parts.retention.forget(putEnded(parts, `proc_${number}`, 0));
	}

	const words = () => parts.eventStore.list({after: 0, limit: 10}).map(({process}) => process.processId);
	parts.retention.open();
	await parts.clock.advance(11_000);
	t.deepEqual(words(), ['proc_2', 'proc_3']);
	t.is(parts.eventStore.horizon(), 1);

	await parts.clock.advance(150_000);
	t.deepEqual(words(), []);
	t.is(parts.eventStore.horizon(), 3);
	parts.retention.close();
});

test('where it fails it is logged, and tried again', async t => {
	const parts = new Parts({retention: {...unbounded, maxEnded: 0}});
	putEnded(parts, 'proc_1', 0);
	const {forget} = parts.archive;
	parts.archive.forget = () => {
		throw new Error('database or disk is full');
	};
	parts.retention.open();
	await parts.clock.advance(11_000);
	t.like(parts.logger.entries, [{level: 'error', facts: {error: {message: 'database or disk is full'}}}]);

	parts.archive.forget = forget;
	await parts.clock.advance(61_000);

	t.deepEqual(kept(parts).rows, []);
	parts.retention.close();
});

test('after the close nothing is forgotten any more, and no timer is left', async t => {
	const parts = new Parts({retention: {...unbounded, maxEnded: 0}});
	for (let number = 0; number < 100; number++) {
		putEnded(parts, `proc_${number}`, 0, {command: {timeoutMs: 0}});
	}

	// In the middle of it.
	parts.bus.on('forgotten', () => parts.retention.close());
	parts.retention.open();
	await parts.clock.advance(60_000);
	await settled();

	t.is(kept(parts).rows.length, 95);
	t.is(parts.clock.timers, 0);
});

test('what ended before a reboot needs no look at those that are alive', async t => {
	const parts = new Parts({retention: {...unbounded, maxEnded: 0}});
	const start = {...aStart, identity: {...aStart.identity, bootId: 'ffffffff'}};
	const {state, ...process} = anEndedProcess({processId: 'proc_1', start});
	parts.put({...process, state});

	parts.retention.open();
	await parts.clock.advance(11_000);

	t.deepEqual([kept(parts).rows, parts.terminator.surveys], [[], 0]);
	parts.retention.close();
});
