import test from 'ava';
import {
	aDeadlineHeld,
	anEndedProcess,
	aQueuedProcess,
	aRunningProcess,
	aStart,
	aStoppingProcess,
} from '../helpers/a-process.js';
import {endOf, Parts} from '../helpers/parts.js';

test('a record nobody has written to changes nothing', t => {
	const parts = new Parts();
	const queued = parts.put(aQueuedProcess());

	t.deepEqual(parts.reaper.look('proc_1'), queued);
	t.deepEqual(parts.announced, []);
});

test("a record of a process that is not known is nobody's", t => {
	const parts = new Parts();
	parts.launcher.writeStart('proc_1');

	t.is(parts.reaper.look('proc_1'), null);
});

test('a start that was written down makes a queued process run', t => {
	const parts = new Parts();
	const {sequence} = parts.put(aQueuedProcess());
	parts.launcher.writeStart('proc_1');

	const process = parts.reaper.look('proc_1');

	t.deepEqual(process, aRunningProcess({sequence}));
	t.deepEqual(parts.find('proc_1'), aRunningProcess({sequence}));
	t.deepEqual(parts.announced, ['started']);
});

test('an end that was written down ends a running process, at the time the shim saw', t => {
	const parts = new Parts();
	parts.put(aRunningProcess());
	parts.launcher.writeEnd('proc_1', {exitCode: 3, endedAt: 1234, durationMs: 56});

	parts.reaper.look('proc_1');

	t.like(parts.find('proc_1').state, {
		status: 'ended',
		start: aStart,
		endedAt: 1234,
		durationMs: 56,
		end: {why: 'exited', exitCode: 3},
	});
	t.deepEqual(parts.announced, ['ended']);
});

test('a process that has ended before anybody looked has started and ended', t => {
	const parts = new Parts();
	parts.put(aQueuedProcess());
	parts.launcher.writeStart('proc_1');
	parts.launcher.writeEnd('proc_1');

	parts.reaper.look('proc_1');

	t.deepEqual(parts.announced, ['started', 'ended']);
	t.like(parts.find('proc_1').state, {status: 'ended', start: aStart});
});

test('an end without a start is a failed start', t => {
	const parts = new Parts();
	parts.put(aQueuedProcess());
	parts.launcher.writeEnd('proc_1', {exitCode: null, durationMs: null, why: 'start_failed', message: 'A sentence'});

	parts.reaper.look('proc_1');

	t.like(parts.find('proc_1').state, {start: null, end: {why: 'start_failed', exitCode: null, message: 'A sentence'}});
	t.deepEqual(parts.announced, ['ended']);
});

test('an end is told once, however often it is looked at', t => {
	const parts = new Parts();
	parts.put(aRunningProcess());
	parts.launcher.writeEnd('proc_1');

	parts.reaper.look('proc_1');
	parts.reaper.look('proc_1');

	t.deepEqual(parts.announced, ['ended']);
});

test('an ended process stays as it is, whatever its record says', t => {
	const parts = new Parts();
	const ended = parts.put(anEndedProcess({end: {exitCode: 3}}));
	parts.launcher.writeEnd('proc_1', {exitCode: 0});

	t.deepEqual(parts.reaper.look('proc_1'), ended);
	t.deepEqual(parts.find('proc_1'), ended);
});

test('the end of its leader does not end a process that is being ended: others may be alive', t => {
	const parts = new Parts();
	const stopping = parts.put(aStoppingProcess());
	parts.launcher.writeEnd('proc_1');

	t.deepEqual(parts.reaper.look('proc_1'), stopping);
	t.deepEqual(parts.announced, []);
});

test("nor does it end one that the dead man's switch has begun to end", t => {
	const parts = new Parts();
	const running = parts.put(aRunningProcess());
	parts.launcher.writeEnd('proc_1');
	parts.launcher.write('proc_1', {stop: aDeadlineHeld(900_000)});

	t.deepEqual(parts.reaper.look('proc_1'), running);
	t.deepEqual(parts.announced, []);
});

test('an end that nobody will write down has no exit code, says why, and leaves no open record', t => {
	const parts = new Parts();
	const running = parts.put(aRunningProcess());

	parts.reaper.giveUp(running, 'lost', 'A sentence', 5000);

	t.deepEqual(endOf(parts.find('proc_1')), {why: 'lost', exitCode: null});
	t.like(parts.find('proc_1').state, {endedAt: 5000, durationMs: null, end: {message: 'A sentence'}});
	t.deepEqual(parts.launcher.closed, ['proc_1']);
	t.deepEqual(parts.announced, ['ended']);
});

const cgroup = '/sys/fs/cgroup/nohupd-0123456789ab/proc_1';

/** A process in a cgroup that has ended with this exit code, and its cgroup says whether memory ran out. */
function endInCgroup(exitCode: number | null, isOutOfMemory: boolean) {
	const parts = new Parts();
	parts.put(aRunningProcess({cgroup}));
	parts.confinement.isOutOfMemory = isOutOfMemory;
	parts.launcher.writeEnd('proc_1', {exitCode});
	parts.reaper.look('proc_1');
	return parts;
}

test('an end in a cgroup tells what was used', t => {
	t.like(endInCgroup(0, false).find('proc_1').state, {usage: {cpuMs: 120, memoryPeakBytes: 4096}});
});

test('of an end without a cgroup nobody knows what was used', t => {
	const parts = new Parts();
	parts.put(aRunningProcess());
	parts.launcher.writeEnd('proc_1');

	parts.reaper.look('proc_1');

	t.like(parts.find('proc_1').state, {status: 'ended', usage: null});
});

test('an end in a cgroup in which the kernel killed for want of memory is "oom"', t => {
	t.deepEqual(endOf(endInCgroup(137, true).find('proc_1')), {why: 'oom', exitCode: 137});
	// The shell outlived the child that was killed, and says so by its own exit code.
	t.deepEqual(endOf(endInCgroup(1, true).find('proc_1')), {why: 'oom', exitCode: 1});
});

test('a command that got over want of memory has simply ended', t => {
	t.deepEqual(endOf(endInCgroup(0, true).find('proc_1')), {why: 'exited', exitCode: 0});
});

test('a SIGKILL in a cgroup with memory enough is a signal from outside', t => {
	t.deepEqual(endOf(endInCgroup(137, false).find('proc_1')), {why: 'signaled', exitCode: 137});
});

test('what an ended process may have left behind is looked after, whoever saw its end', async t => {
	const parts = new Parts();
	parts.put(aRunningProcess({processId: 'proc_1'}));
	const lost = parts.put(aRunningProcess({processId: 'proc_2'}));
	parts.launcher.writeEnd('proc_1');
	for (const processId of ['proc_1', 'proc_2']) {
		parts.terminator.leftover.set(processId, 2);
	}

	parts.reaper.look('proc_1');
	parts.reaper.giveUp(lost, 'lost', 'A sentence', 5000);
	await parts.clock.advance(20);

	t.like(parts.find('proc_1').state, {status: 'ended', leftover: 2});
	t.like(parts.find('proc_2').state, {status: 'ended', leftover: 2});
	parts.leftovers.close();
});
