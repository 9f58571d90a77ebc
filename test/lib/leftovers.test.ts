import test from 'ava';
import {type EndedProcess, hasStatus} from '../../lib/process.js';
import {anEndedProcess, aRunningProcess, aStart, type Facts} from '../helpers/a-process.js';
import {Parts} from '../helpers/parts.js';

const cgroup = '/sys/fs/cgroup/nohupd-0123456789ab/proc_1';

/** A process that has ended; so many of it are alive. */
function open(alive: number, facts: Facts & {leftover?: number} = {}) {
	const parts = new Parts();
	const ended = parts.put(anEndedProcess(facts));
	if (alive > 0) {
		parts.terminator.leftover.set('proc_1', alive);
	}

	return {parts, ended};
}

/** What the store says is left. */
function leftoverOf(parts: Parts): number {
	const process = parts.find('proc_1');
	return hasStatus(process, 'ended') ? process.state.leftover : Number.NaN;
}

test('those that have left nothing are told from the others by one look, and the others watched', async t => {
	const {parts} = open(2, {processId: 'proc_1'});
	const all = [parts.find('proc_1'), parts.put(anEndedProcess({processId: 'proc_2'}))];
	const before = parts.put(
		anEndedProcess({
			processId: 'proc_3',
			start: {...aStart, identity: {...aStart.identity, bootId: 'ffffffff'}},
		}),
	);
	const unstarted = parts.put(anEndedProcess({processId: 'proc_4', start: null}));

	const gone = parts.leftovers.withoutLiving([...all, before, unstarted] as EndedProcess[]);

	t.deepEqual(
		gone.map(({processId}) => processId),
		['proc_2', 'proc_3', 'proc_4'],
	);
	t.is(parts.terminator.surveys, 1);
	await parts.clock.advance(20);
	t.is(leftoverOf(parts), 2);
	t.deepEqual(parts.leftovers.withoutLiving([parts.find('proc_1')] as EndedProcess[]), []);
});

test('of what has left nothing nobody is told, and after two looks nobody looks again', async t => {
	const {parts, ended} = open(0);

	parts.leftovers.watch(ended);
	await parts.clock.advance(60_000);

	t.deepEqual(parts.find('proc_1'), ended);
	t.is(parts.terminator.surveys, 2);
	t.is(parts.clock.timers, 0);
});

test('what is left is counted soon, and again each second until nothing is', async t => {
	const {parts, ended} = open(3);

	parts.leftovers.watch(ended);
	await parts.clock.advance(20);
	const first = leftoverOf(parts);
	parts.terminator.leftover.set('proc_1', 1);
	await parts.clock.advance(1000);
	const second = leftoverOf(parts);
	parts.terminator.leftover.delete('proc_1');
	await parts.clock.advance(1000);

	t.deepEqual([first, second, leftoverOf(parts)], [3, 1, 0]);
	t.deepEqual(parts.announced, []);
});

test('its end stays as it was, whatever is left', async t => {
	const {parts, ended} = open(3);

	parts.leftovers.watch(ended);
	await parts.clock.advance(20);

	t.deepEqual(parts.find('proc_1'), {...ended, state: {...ended.state, leftover: 3}});
});

test('what one look has missed is counted again', async t => {
	const {parts, ended} = open(2);
	parts.leftovers.watch(ended);
	await parts.clock.advance(20);

	parts.terminator.leftover.delete('proc_1');
	await parts.clock.advance(1000);
	parts.terminator.leftover.set('proc_1', 1);
	await parts.clock.advance(1000);

	t.is(leftoverOf(parts), 1);
	parts.leftovers.close();
});

test('one look serves all that ended meanwhile', async t => {
	const parts = new Parts();
	for (let number = 1; number <= 50; number++) {
		parts.leftovers.watch(parts.put(anEndedProcess({processId: `proc_${number}`})));
	}

	await parts.clock.advance(20);

	t.is(parts.terminator.surveys, 1);
	t.is(parts.clock.timers, 1);
});

test('what is left falls to the timeout, counted from the start', async t => {
	const overdue: number[] = [];
	const parts = new Parts();
	const startedAt = parts.clock.uptimeMs();
	parts.deadlines.open(() => overdue.push(parts.clock.uptimeMs() - startedAt));
	const start = {...aStart, identity: {...aStart.identity, startTicks: startedAt / 10}};
	parts.terminator.leftover.set('proc_1', 1);

	parts.leftovers.watch(parts.put(anEndedProcess({start, command: {timeoutMs: 10_000}})));
	await parts.clock.advance(9990);
	t.deepEqual(overdue, []);

	await parts.clock.advance(10);
	t.deepEqual(overdue, [10_000]);
	parts.leftovers.close();
});

test('no timeout is held for what is gone', async t => {
	const overdue: string[] = [];
	const {parts, ended} = open(1, {command: {timeoutMs: 2_000_000}});
	parts.deadlines.open(processId => overdue.push(processId));
	parts.leftovers.watch(ended);
	await parts.clock.advance(20);

	parts.terminator.leftover.delete('proc_1');
	await parts.clock.advance(10_000_000);

	t.deepEqual(overdue, []);
	t.is(parts.clock.timers, 0);
});

test('what was to be killed with its leader is killed at once, and once', async t => {
	const {parts, ended} = open(2, {command: {leftover: 'kill'}});
	const wake = parts.terminator.block('proc_1');

	parts.leftovers.watch(ended);
	// Several looks while it is on its way.
	await parts.clock.advance(5000);
	t.deepEqual(parts.terminator.sent, ['SIGKILL proc_1 +0.0']);

	wake();
	await parts.clock.advance(5000);
	t.is(leftoverOf(parts), 0);
	t.is(parts.clock.timers, 0);
	t.deepEqual(parts.terminator.sent, ['SIGKILL proc_1 +0.0']);
});

test('what could not be killed with its leader is tried again, and the failure is logged', async t => {
	const {parts, ended} = open(2, {command: {leftover: 'kill'}});
	parts.terminator.onKill = () => {
		parts.terminator.onKill = () => undefined;
		parts.terminator.leftover.set('proc_1', 2);
		throw new Error('no /proc');
	};

	parts.leftovers.watch(ended);
	await parts.clock.advance(5000);

	t.deepEqual(parts.terminator.sent, ['SIGKILL proc_1 +0.0', 'SIGKILL proc_1 +1.0']);
	t.like(parts.logger.entries, [{level: 'error', facts: {processId: 'proc_1'}}]);
	t.is(leftoverOf(parts), 0);
});

test('what was ended on request is not counted any more, whenever the next look is due', async t => {
	const {parts, ended} = open(2);
	parts.leftovers.watch(ended);
	await parts.clock.advance(20);

	parts.terminator.leftover.delete('proc_1');
	parts.leftovers.noteGone(ended);

	t.is(leftoverOf(parts), 0);
	parts.leftovers.close();
});

test('what is to be kept is left alone', async t => {
	const {parts, ended} = open(2, {command: {leftover: 'keep'}});

	parts.leftovers.watch(ended);
	await parts.clock.advance(5000);

	t.deepEqual(parts.terminator.sent, []);
	parts.leftovers.close();
});

test('an empty cgroup is removed at the first look: its word is enough', async t => {
	const {parts, ended} = open(0, {cgroup});

	parts.leftovers.watch(ended);
	await parts.clock.advance(20);

	t.deepEqual(parts.confinement.released, [cgroup]);
	t.is(parts.clock.timers, 0);
});

test('a cgroup that cannot be removed yet is looked at until it can', async t => {
	const {parts, ended} = open(0, {cgroup});
	parts.confinement.populated.add(cgroup);
	parts.leftovers.watch(ended);
	await parts.clock.advance(3000);
	t.is(parts.clock.timers, 1);

	parts.confinement.populated.delete(cgroup);
	await parts.clock.advance(1000);

	t.is(parts.clock.timers, 0);
});

test('no cgroup is removed while something of it is alive', async t => {
	const {parts, ended} = open(1, {cgroup});

	parts.leftovers.watch(ended);
	await parts.clock.advance(5000);

	t.deepEqual(parts.confinement.released, []);
	t.is(leftoverOf(parts), 1);
	parts.terminator.leftover.delete('proc_1');
	await parts.clock.advance(1000);
	t.deepEqual(parts.confinement.released, [cgroup]);
});

const strangers: Record<string, EndedProcess> = {
	'a process that never started': anEndedProcess({start: null, cgroup}),
	'a process of an earlier boot': anEndedProcess({
		start: {...aStart, identity: {...aStart.identity, bootId: 'ffffffff'}},
		cgroup,
	}),
};

for (const [whose, process] of Object.entries(strangers)) {
	test(`nothing is looked for of ${whose}; its cgroup is removed`, t => {
		const parts = new Parts();

		parts.leftovers.watch(parts.put(process));

		t.deepEqual(parts.confinement.released, [cgroup]);
		t.is(parts.clock.timers, 0);
	});
}

test('a count that cannot be stored is logged, harms no other, and is tried again', async t => {
	const {parts, ended} = open(1);
	const other = parts.put(anEndedProcess({processId: 'proc_2'}));
	parts.terminator.leftover.set('proc_2', 2);
	const update = parts.store.update.bind(parts.store);
	parts.store.update = record => {
		parts.store.update = update;
		throw new Error(`database or disk is full: ${record.processId}`);
	};

	parts.leftovers.watch(ended);
	parts.leftovers.watch(other);
	await parts.clock.advance(20);
	t.like(parts.find('proc_2').state, {leftover: 2});
	t.like(parts.logger.entries, [{level: 'error', facts: {processId: 'proc_1'}}]);

	await parts.clock.advance(1000);
	t.is(leftoverOf(parts), 1);
	parts.leftovers.close();
});

test('who watches one that is watched already does not bring back an old count', async t => {
	const {parts, ended} = open(2);
	parts.leftovers.watch(ended);
	await parts.clock.advance(20);
	parts.terminator.leftover.delete('proc_1');

	// As it was before the first look.
	parts.leftovers.watch(ended);
	await parts.clock.advance(5000);

	t.is(leftoverOf(parts), 0);
});

test('something is alive if one of eight looks finds it', async t => {
	const {parts} = open(0);
	let count = 0;
	parts.terminator.survey = () => new Map(++count === 8 ? [['proc_1', 1]] : []);

	t.true(await parts.leftovers.isAny(aRunningProcess()));
	t.is(count, 8);
	t.false(await parts.leftovers.isAny(aRunningProcess()));
});

test('a restart looks after what was left before', async t => {
	const {parts} = open(1, {leftover: 3});

	parts.leftovers.recover();
	await parts.clock.advance(20);

	t.is(leftoverOf(parts), 1);
	parts.leftovers.close();
});

test('a restart looks at one that nobody had looked at', async t => {
	const {parts} = open(1);

	parts.leftovers.recover();
	t.true(parts.leftovers.isUndecided('proc_1'));
	await parts.clock.advance(20);

	t.is(leftoverOf(parts), 1);
	t.false(parts.leftovers.isUndecided('proc_1'));
	parts.leftovers.close();
});

test('a restart removes cgroups that nobody has a process for, and looks at those of ended ones', async t => {
	const parts = new Parts();
	const paths = ['proc_unknown', 'proc_ended', 'proc_left', 'proc_running'].map(name => [name, `/cg/${name}`] as const);
	for (const [processId, path] of paths) {
		parts.confinement.cgroups.set(processId, path);
	}

	parts.put(anEndedProcess({processId: 'proc_ended', cgroup: '/cg/proc_ended'}));
	parts.put(anEndedProcess({processId: 'proc_left', cgroup: '/cg/proc_left'}));
	parts.put(aRunningProcess({processId: 'proc_running', cgroup: '/cg/proc_running'}));
	parts.terminator.leftover.set('proc_left', 2);

	parts.leftovers.recover();
	t.deepEqual(parts.confinement.released, ['/cg/proc_unknown']);

	await parts.clock.advance(20);
	t.deepEqual(parts.confinement.released, ['/cg/proc_unknown', '/cg/proc_ended']);
	t.like(parts.find('proc_left').state, {leftover: 2});
	parts.leftovers.close();
});

test('after the close no timer is left, and no cgroup that is empty', async t => {
	const {parts, ended} = open(0, {cgroup});
	parts.leftovers.watch(ended);

	parts.leftovers.close();
	await parts.clock.advance(5000);

	t.deepEqual(parts.confinement.released, [cgroup]);
	t.deepEqual([parts.clock.timers, parts.terminator.surveys], [0, 0]);
});

test('who ends while the supervisor is closing arms no timer any more', t => {
	const {parts, ended} = open(1);

	parts.leftovers.close();
	parts.leftovers.watch(ended);

	t.is(parts.clock.timers, 0);
});
