import test from 'ava';
import type {Start} from '../../lib/process.js';
import {
	aDeadlineHeld,
	anEndedProcess,
	aQueuedProcess,
	aRunningProcess,
	aStart,
	aStoppingProcess,
	bootId,
	type Facts,
} from '../helpers/a-process.js';
import {settled} from '../helpers/fake-clock.js';
import {endOf, Parts} from '../helpers/parts.js';

const cgroup = '/sys/fs/cgroup/nohupd-0123456789ab/proc_1';

const earlierBoot: Start = {...aStart, identity: {...aStart.identity, bootId: 'ffffffff'}};

/** What an earlier supervisor prepared, without a row. */
function prepare(parts: Parts, facts: Facts): void {
	const {sequence, ...process} = aQueuedProcess(facts);
	parts.launcher.prepare(process, new Map());
}

/** Nobody was signalled, neither by pid nor as a tree. */
function signalsOf({terminator, processTable}: Parts): unknown[] {
	return [...terminator.sent, ...processTable.signals];
}

test('a process of an earlier boot has failed by the reboot, without any signal', t => {
	const parts = new Parts();
	parts.put(aRunningProcess({start: earlierBoot}));

	parts.recovery.run();

	t.deepEqual(endOf(parts.find('proc_1')), {why: 'reboot', exitCode: null});
	t.deepEqual(signalsOf(parts), []);
	t.deepEqual(parts.launcher.closed, ['proc_1']);
	t.is(parts.admission.running, 0);
});

test('an end that was written down before the reboot wins', t => {
	const parts = new Parts();
	parts.put(aRunningProcess({processId: 'proc_running', start: earlierBoot}));
	parts.put(aStoppingProcess({processId: 'proc_stopping', start: earlierBoot}));
	parts.put(aQueuedProcess({processId: 'proc_queued'}));
	parts.launcher.writeStart('proc_queued', earlierBoot);
	for (const processId of ['proc_running', 'proc_stopping', 'proc_queued']) {
		parts.launcher.writeEnd(processId, {exitCode: 3});
	}

	parts.recovery.run();

	t.deepEqual(
		['proc_running', 'proc_stopping', 'proc_queued'].map(processId => endOf(parts.find(processId))),
		[
			{why: 'exited', exitCode: 3},
			{why: 'request', exitCode: 3},
			{why: 'exited', exitCode: 3},
		],
	);
	t.deepEqual(signalsOf(parts), []);
});

test('a process that was being ended at the reboot keeps the reason, without an exit code', t => {
	const parts = new Parts();
	parts.put(aStoppingProcess({start: earlierBoot, stop: {why: 'timeout'}}));

	parts.recovery.run();

	t.deepEqual(endOf(parts.find('proc_1')), {why: 'timeout', exitCode: null});
	t.deepEqual(signalsOf(parts), []);
});

test('a process whose shim had only begun at the reboot has failed by it', t => {
	const parts = new Parts();
	parts.put(aQueuedProcess());
	parts.launcher.takeClaim('proc_1', {by: 'shim', identity: earlierBoot.identity});

	parts.recovery.run();

	t.deepEqual(endOf(parts.find('proc_1')), {why: 'reboot', exitCode: null});
	t.deepEqual(parts.launcher.launched, []);
});

test('what was queued and is unclaimed is launched, in its order', t => {
	const parts = new Parts();
	const ids = ['proc_c', 'proc_a', 'proc_b'];
	for (const processId of ids) {
		parts.put(aQueuedProcess({processId}));
	}

	parts.recovery.run();

	t.deepEqual(parts.launcher.launched, ids);
});

test('the cgroup of what is launched now is made again: a reboot takes it', t => {
	const parts = new Parts();
	parts.put(aQueuedProcess({processId: 'proc_confined', cgroup: '/cg/proc_confined'}));
	parts.put(aQueuedProcess({processId: 'proc_moved', cgroup: '/elsewhere/proc_moved'}));
	parts.put(aQueuedProcess({processId: 'proc_free'}));
	parts.put(aRunningProcess({processId: 'proc_runs', cgroup: '/cg/proc_runs'}));
	for (const processId of ['proc_confined', 'proc_moved']) {
		parts.confinement.cgroups.set(processId, `/cg/${processId}`);
	}

	parts.recovery.run();

	t.deepEqual(parts.confinement.prepared, ['proc_confined', 'proc_moved']);
	// Of no use to the command, which joins what its specification names.
	t.deepEqual(parts.confinement.released, ['/cg/proc_moved']);
	parts.deadlines.close();
});

test('what a shim has claimed is on its way: it is not launched again, and takes a place', t => {
	const parts = new Parts({maxRunning: 1});
	parts.put(aQueuedProcess({processId: 'proc_waits'}));
	parts.put(aQueuedProcess({processId: 'proc_claimed'}));
	parts.launcher.takeClaim('proc_claimed');

	parts.recovery.run();

	t.deepEqual(parts.launcher.launched, []);
	t.like(parts.admission, {running: 1, queued: 1});
	t.is(parts.find('proc_claimed').state.status, 'queued');
});

test("the supervisor's own claim is a kill that was not committed: it never runs", t => {
	const parts = new Parts();
	parts.put(aQueuedProcess());
	parts.launcher.takeClaim('proc_1', {by: 'supervisor'});

	parts.recovery.run();

	t.like(parts.find('proc_1').state, {status: 'ended', start: null, end: {why: 'request', exitCode: null}});
	t.deepEqual(parts.launcher.launched, []);
	t.is(parts.admission.running, 0);
});

test('what runs takes its place before anything that waits may have one', t => {
	const parts = new Parts({maxRunning: 1});
	parts.put(aQueuedProcess({processId: 'proc_waits'}));
	parts.put(aRunningProcess({processId: 'proc_runs'}));

	parts.recovery.run();

	t.deepEqual(parts.launcher.launched, []);
});

test('what started and what ended while no supervisor lived is told now', t => {
	const parts = new Parts();
	parts.put(aQueuedProcess({processId: 'proc_started'}));
	parts.put(aRunningProcess({processId: 'proc_ended'}));
	parts.launcher.writeStart('proc_started');
	parts.launcher.writeEnd('proc_ended', {exitCode: 7, endedAt: 1234});

	parts.recovery.run();

	t.deepEqual(parts.announced, ['started', 'ended']);
	t.is(parts.find('proc_started').state.status, 'running');
	t.like(parts.find('proc_ended').state, {endedAt: 1234, end: {exitCode: 7}});
});

test('the deadline of what runs is held again, by its start', async t => {
	const parts = new Parts();
	const overdue: string[] = [];
	parts.deadlines.open(processId => overdue.push(processId));
	const startTicks = parts.clock.uptimeMs() / 10;
	const start = {...aStart, identity: {...aStart.identity, startTicks}};
	parts.put(aRunningProcess({start, command: {timeoutMs: 10_000}}));
	parts.clock.sleep(9000);

	parts.recovery.run();
	await parts.clock.advance(999);
	t.deepEqual(overdue, []);

	await parts.clock.advance(1);
	t.deepEqual(overdue, ['proc_1']);
});

test('a kill that was under way is finished', async t => {
	const parts = new Parts();
	const atUptimeMs = parts.clock.uptimeMs() - 1000;
	parts.put(aStoppingProcess({stop: {atUptimeMs, gracePeriodMs: 5000, isSignaled: true}}));
	parts.terminator.onKill = processId => parts.launcher.writeEnd(processId, {exitCode: 137});

	parts.recovery.run();
	await parts.clock.advance(4200);

	t.deepEqual(parts.terminator.sent, ['SIGKILL proc_1 +4.0']);
	t.deepEqual(endOf(parts.find('proc_1')), {why: 'request', exitCode: 137});
});

test("a timeout that the dead man's switch began is finished, also if its leader has ended", async t => {
	const parts = new Parts();
	parts.put(aRunningProcess());
	parts.launcher.writeEnd('proc_1', {exitCode: 143});
	parts.launcher.write('proc_1', {stop: aDeadlineHeld(parts.clock.uptimeMs() - 2000)});

	parts.recovery.run();
	t.like(parts.find('proc_1').state, {
		status: 'stopping',
		stop: {why: 'timeout', atUptimeMs: parts.clock.uptimeMs() - 2000, gracePeriodMs: 5000, isSignaled: true},
	});
	await parts.clock.advance(3200);

	t.deepEqual(parts.terminator.sent, ['SIGKILL proc_1 +3.0']);
	t.deepEqual(endOf(parts.find('proc_1')), {why: 'timeout', exitCode: 143});
});

test("a timeout that the dead man's switch began is finished, also if its shim died before it could tell", async t => {
	const parts = new Parts();
	parts.put(aRunningProcess());
	parts.recovery.run();
	parts.launcher.write('proc_1', {stop: aDeadlineHeld(parts.clock.uptimeMs() - 6000)});
	parts.processTable.dead.add(aStart.shimPid);

	parts.recovery.sweep(false);
	parts.recovery.sweep(false);
	await parts.clock.advance(0);

	t.deepEqual(parts.terminator.sent, ['SIGKILL proc_1 +0.0']);
	t.deepEqual(endOf(parts.find('proc_1')), {why: 'timeout', exitCode: null});
	t.deepEqual(parts.announced, ['stopping', 'ended']);
});

const aKillOrdered = (parts: Parts, isSignaled: boolean) =>
	({why: 'request', atUptimeMs: parts.clock.uptimeMs() - 1000, gracePeriodMs: 3000, isSignaled}) as const;

test('a kill that only its record knows of, since the store had no room or was lost, is finished as a kill', async t => {
	const parts = new Parts();
	parts.put(aRunningProcess());
	parts.launcher.write('proc_1', {stop: aKillOrdered(parts, true)});
	parts.terminator.onKill = processId => parts.launcher.writeEnd(processId, {exitCode: 137});

	parts.recovery.run();
	await parts.clock.advance(2200);

	t.deepEqual(parts.terminator.sent, ['SIGKILL proc_1 +2.0']);
	t.deepEqual(endOf(parts.find('proc_1')), {why: 'request', exitCode: 137});
	t.deepEqual(parts.announced, ['stopping', 'ended']);
});

test('a SIGTERM that only its record knows of is not sent again; the rest counts as it was stored', async t => {
	const parts = new Parts();
	const atUptimeMs = parts.clock.uptimeMs() - 1000;
	parts.put(aStoppingProcess({stop: {atUptimeMs, gracePeriodMs: 5000, isSignaled: false}}));
	parts.launcher.write('proc_1', {stop: {...aKillOrdered(parts, true), gracePeriodMs: 99_999_999}});

	parts.recovery.run();
	await parts.clock.advance(4200);

	t.deepEqual(parts.terminator.sent, ['SIGKILL proc_1 +4.0']);
});

test('a kill of what an ended process left behind is gone on with', async t => {
	const parts = new Parts();
	parts.put(anEndedProcess({leftover: 1}));
	parts.terminator.leftover.set('proc_1', 1);
	parts.launcher.write('proc_1', {leftoverStop: aKillOrdered(parts, false)});

	parts.recovery.run();
	await parts.clock.advance(2200);

	t.deepEqual(parts.terminator.sent, ['SIGTERM proc_1 +0.0', 'SIGKILL proc_1 +2.0']);
	parts.leftovers.close();
	await parts.termination.close();
});

test('a kill of one that was blocked goes on without asking again, and is over when it wakes', async t => {
	const parts = new Parts();
	const atUptimeMs = parts.clock.uptimeMs() - 60_000;
	parts.put(aStoppingProcess({stop: {atUptimeMs, isSignaled: true, isBlocked: true}}));
	parts.terminator.onKill = processId => parts.launcher.writeEnd(processId, {exitCode: 137});
	const wake = parts.terminator.block('proc_1');

	parts.recovery.run();
	await parts.clock.advance(10_000);
	t.like(parts.find('proc_1').state, {status: 'stopping', stop: {isBlocked: true}});

	wake();
	await parts.clock.advance(0);
	t.deepEqual(parts.terminator.sent, ['SIGKILL proc_1 +0.0']);
	t.deepEqual(endOf(parts.find('proc_1')), {why: 'request', exitCode: 137});
});

test('want of memory while no supervisor lived is told now, with what was used', t => {
	const parts = new Parts();
	parts.put(aRunningProcess({cgroup}));
	parts.confinement.isOutOfMemory = true;
	parts.launcher.writeEnd('proc_1', {exitCode: 137});

	parts.recovery.run();

	t.deepEqual(endOf(parts.find('proc_1')), {why: 'oom', exitCode: 137});
	t.like(parts.find('proc_1').state, {usage: {cpuMs: 120, memoryPeakBytes: 4096}});
	parts.leftovers.close();
});

test('what was left behind before, and what ended meanwhile may have left, is looked after', async t => {
	const parts = new Parts();
	parts.put(anEndedProcess({processId: 'proc_before', leftover: 5}));
	parts.put(aRunningProcess({processId: 'proc_meanwhile'}));
	parts.launcher.writeEnd('proc_meanwhile', {exitCode: 3});
	parts.terminator.leftover.set('proc_meanwhile', 2);

	parts.recovery.run();
	await parts.clock.advance(20);

	t.like(parts.find('proc_before').state, {leftover: 0});
	t.like(parts.find('proc_meanwhile').state, {leftover: 2});
	parts.leftovers.close();
});

test('cgroups that a crash left are removed: of nobody, of one that never ran, of one that has ended', async t => {
	const parts = new Parts();
	const ids = ['proc_nobody', 'proc_killed', 'proc_ended', 'proc_runs', 'proc_waits'];
	for (const processId of ids) {
		parts.confinement.cgroups.set(processId, `/cg/${processId}`);
	}

	const place = (processId: string) => ({processId, cgroup: `/cg/${processId}`});
	parts.put(aQueuedProcess(place('proc_killed')));
	parts.launcher.takeClaim('proc_killed', {by: 'supervisor'});
	parts.put(aRunningProcess(place('proc_ended')));
	parts.launcher.writeEnd('proc_ended');
	parts.put(aRunningProcess(place('proc_runs')));
	parts.put(aQueuedProcess(place('proc_waits')));

	parts.recovery.run();
	await parts.clock.advance(5000);

	t.deepEqual(parts.confinement.released.toSorted(), ['/cg/proc_ended', '/cg/proc_killed', '/cg/proc_nobody']);
	parts.deadlines.close();
});

test('the cgroup of a lost process is removed', async t => {
	const parts = new Parts();
	parts.put(aRunningProcess({cgroup}));
	parts.recovery.run();
	parts.processTable.dead.add(aStart.shimPid);

	parts.recovery.sweep(false);
	await parts.clock.advance(1000);

	t.deepEqual(endOf(parts.find('proc_1')), {why: 'lost', exitCode: null});
	t.deepEqual(parts.confinement.released, [cgroup]);
});

test('a process whose shim is dead is lost: what is left is killed, and the exit code is not known', async t => {
	const parts = new Parts();
	parts.put(aRunningProcess());
	parts.recovery.run();
	parts.processTable.dead.add(aStart.shimPid);

	parts.recovery.sweep(false);
	parts.recovery.sweep(false);
	await settled();

	t.deepEqual(parts.terminator.sent, ['SIGKILL proc_1 +0.0']);
	t.deepEqual(endOf(parts.find('proc_1')), {why: 'lost', exitCode: null});
	t.deepEqual(parts.announced, ['ended']);
});

test('a process whose shim has written its end and left is not lost', async t => {
	const parts = new Parts();
	parts.put(aRunningProcess());
	parts.launcher.writeEnd('proc_1', {exitCode: 0});
	parts.processTable.dead.add(aStart.shimPid);

	parts.recovery.sweep(false);
	await settled();

	t.deepEqual(endOf(parts.find('proc_1')), {why: 'exited', exitCode: 0});
	t.deepEqual(signalsOf(parts), []);
});

test('a process whose shim is alive is left alone', async t => {
	const parts = new Parts();
	const running = parts.put(aRunningProcess());

	parts.recovery.sweep(false);
	await settled();

	t.deepEqual(parts.find('proc_1'), running);
	t.deepEqual(signalsOf(parts), []);
});

for (const [who, claim] of Object.entries({
	'a shim that died': {by: 'shim', identity: {bootId, pid: 99, startTicks: 1}},
	'nobody knows whom': {by: 'unknown'},
} as const)) {
	test(`a process claimed by ${who} fails to start, but not at the first look`, t => {
		const parts = new Parts();
		const {processId} = parts.accept();
		parts.admission.enter(processId);
		parts.launcher.takeClaim(processId, claim);
		parts.processTable.dead.add(99);

		parts.recovery.sweep(false);
		t.is(parts.find(processId).state.status, 'queued');

		parts.recovery.sweep(false);
		t.deepEqual(endOf(parts.find(processId)), {why: 'start_failed', exitCode: null});
	});
}

test('a process that starts between two looks does not fail to', t => {
	const parts = new Parts();
	const {processId} = parts.accept();
	parts.admission.enter(processId);
	parts.launcher.takeClaim(processId, {by: 'shim', identity: {bootId, pid: 99, startTicks: 1}});
	parts.processTable.dead.add(99);

	parts.recovery.sweep(false);
	parts.launcher.writeStart(processId);
	parts.recovery.sweep(false);

	t.is(parts.find(processId).state.status, 'running');
});

test('a stop that came to nothing, on a full disk for instance, is tried again', async t => {
	const parts = new Parts();
	const atUptimeMs = parts.clock.uptimeMs() - 60_000;
	parts.put(aStoppingProcess({stop: {atUptimeMs, isSignaled: true}}));
	parts.terminator.onKill = processId => parts.launcher.writeEnd(processId, {exitCode: 137});

	parts.recovery.sweep(false);
	parts.recovery.sweep(false);
	await parts.clock.advance(0);

	t.deepEqual(parts.terminator.sent, ['SIGKILL proc_1 +0.0']);
	t.deepEqual(endOf(parts.find('proc_1')), {why: 'request', exitCode: 137});
});

test('a process whose files vanished before it began fails to start', t => {
	const parts = new Parts();
	const [gone, there] = [parts.accept({processId: 'proc_gone'}), parts.accept({processId: 'proc_there'})];
	parts.admission.enter(gone.processId);
	parts.admission.enter(there.processId);
	parts.launcher.discard(gone.processId);

	parts.recovery.sweep(false);
	parts.recovery.sweep(false);

	t.deepEqual(endOf(parts.find(gone.processId)), {why: 'start_failed', exitCode: null});
	t.is(parts.find(there.processId).state.status, 'queued');
});

test('what waits for its turn is not looked for', t => {
	const parts = new Parts({maxRunning: 1});
	parts.admission.occupy('proc_other');
	const {processId} = parts.accept();
	parts.admission.enter(processId);

	parts.recovery.sweep(false);
	parts.recovery.sweep(false);

	t.is(parts.find(processId).state.status, 'queued');
});

test('where no notices come, a sweep looks at every record', t => {
	const parts = new Parts();
	parts.put(aRunningProcess());
	parts.launcher.writeEnd('proc_1');

	parts.recovery.sweep(false);
	t.is(parts.find('proc_1').state.status, 'running');

	parts.recovery.sweep(true);
	t.is(parts.find('proc_1').state.status, 'ended');
});

test('a list that was lost is rebuilt from what is on disk, in the order of acceptance', t => {
	const parts = new Parts({}, {isRebuilding: true});
	prepare(parts, {processId: 'proc_waits', createdAt: 3, command: {name: 'third'}});
	prepare(parts, {processId: 'proc_ended', createdAt: 1, command: {name: 'first'}});
	prepare(parts, {processId: 'proc_runs', createdAt: 2, command: {name: 'second'}});
	parts.launcher.writeStart('proc_ended');
	parts.launcher.writeEnd('proc_ended', {exitCode: 3});
	parts.launcher.writeStart('proc_runs');

	parts.recovery.run();

	t.deepEqual(
		parts.store.list({limit: 10}).map(({command, state}) => [command.name, state.status]),
		[
			['third', 'queued'],
			['second', 'running'],
			['first', 'ended'],
		],
	);
	t.deepEqual(parts.launcher.launched, ['proc_waits']);
	t.deepEqual(endOf(parts.find('proc_ended')), {why: 'exited', exitCode: 3});
});

test('a kill of a queued process that could not be committed is committed by a later look, and makes room', t => {
	const parts = new Parts({maxRunning: 1});
	for (const processId of ['proc_killed', 'proc_next']) {
		parts.accept({processId});
		parts.admission.enter(processId);
	}

	parts.launcher.takeClaim('proc_killed', {by: 'supervisor'});

	parts.recovery.sweep(false);

	t.like(parts.find('proc_killed').state, {status: 'ended', start: null, end: {why: 'request'}});
	t.deepEqual(parts.launcher.launched, ['proc_killed', 'proc_next']);
});

test('what was prepared for a process that was never accepted is removed', async t => {
	const parts = new Parts();
	parts.accept({processId: 'proc_accepted'});
	prepare(parts, {processId: 'proc_orphan'});

	await parts.recovery.collectOrphans();

	t.deepEqual(parts.launcher.listPrepared(), ['proc_accepted']);
	t.is(parts.store.find('proc_orphan'), null);
});

test('what ran and has no row, after a power failure, is taken over', async t => {
	const parts = new Parts();
	prepare(parts, {processId: 'proc_ran'});
	parts.launcher.writeStart('proc_ran');
	parts.launcher.writeEnd('proc_ran', {exitCode: 3});

	await parts.recovery.collectOrphans();

	t.deepEqual(endOf(parts.find('proc_ran')), {why: 'exited', exitCode: 3});
	t.deepEqual(parts.launcher.listPrepared(), ['proc_ran']);
	t.is(parts.admission.running, 0);
});

test('what a crash left of a forgotten process is removed, and not taken for one that ran unseen', async t => {
	const parts = new Parts();
	prepare(parts, {processId: 'proc_forgotten'});
	parts.launcher.writeStart('proc_forgotten');
	parts.launcher.writeEnd('proc_forgotten');
	// The row and the word that it was forgotten are one transaction; then the agent was killed.
	parts.ledger.forget(parts.put(anEndedProcess({processId: 'proc_forgotten'})));

	await parts.recovery.collectOrphans();

	t.is(parts.store.find('proc_forgotten'), null);
	t.deepEqual(parts.launcher.listPrepared(), []);
});

test('after the close nothing is removed any more', async t => {
	const parts = new Parts();
	prepare(parts, {processId: 'proc_orphan'});

	const collected = parts.recovery.collectOrphans();
	parts.recovery.close();
	await collected;

	t.deepEqual(parts.launcher.listPrepared(), ['proc_orphan']);
});
