import test from 'ava';
import {ShuttingDownError} from '../../lib/errors.js';
import {type EndedProcess, hasStatus, type StoppingProcess} from '../../lib/process.js';
import {toProcess} from '../../lib/process-view.js';
import {Termination} from '../../lib/termination.js';
import {anEndedProcess, aRunningProcess, aStart, aStop, aStoppingProcess} from '../helpers/a-process.js';
import {settled} from '../helpers/fake-clock.js';
import {endOf, Parts} from '../helpers/parts.js';

const manner = (gracePeriodMs: number) => ({signal: 'SIGTERM', gracePeriodMs}) as const;

/** One process that runs. Its tree ignores SIGTERM; when it is killed its shim writes exit code 137. */
function open() {
	const parts = new Parts();
	const running = parts.put(aRunningProcess());
	parts.terminator.onKill = processId => {
		if (parts.launcher.read(processId).end === null) {
			parts.launcher.writeEnd(processId, {exitCode: 137});
		}
	};
	/** A tree that obeys SIGTERM, and leaves with this exit code. */
	const obey = (exitCode: number) => {
		parts.terminator.onAsk = processId => {
			parts.terminator.leave(processId);
			parts.launcher.writeEnd(processId, {exitCode});
		};
	};
	return {parts, running, obey};
}

/** Another supervisor's, on the same store. */
function nextTermination({
	launcher,
	terminator,
	confinement,
	processTable,
	clock,
	logger,
	ledger,
	intents,
}: Parts): Termination {
	return new Termination(launcher, terminator, confinement, processTable, clock, logger, ledger, intents);
}

function findStopping(parts: Parts): StoppingProcess {
	const process = parts.find('proc_1');
	if (!hasStatus(process, 'stopping')) {
		throw new Error(`It is ${process.state.status}`);
	}

	return process;
}

/** Whether it has settled yet, and with what. */
function watch(promise: Promise<EndedProcess>): {ended: EndedProcess | null} {
	const seen: {ended: EndedProcess | null} = {ended: null};
	void promise.then(ended => {
		seen.ended = ended;
	});
	return seen;
}

test('what is wanted is stored before the first signal', async t => {
	const {parts, running} = open();
	const statesAtSignal: unknown[] = [];
	parts.terminator.onAsk = processId => statesAtSignal.push(parts.find(processId).state);

	const done = parts.termination.stop(running, 'timeout', manner(5000));
	const stop = {
		why: 'timeout',
		atUptimeMs: parts.clock.uptimeMs(),
		gracePeriodMs: 5000,
		isSignaled: false,
		isBlocked: false,
	};
	await parts.clock.advance(5200);
	await done;

	t.deepEqual(statesAtSignal, [{status: 'stopping', start: aStart, stop}]);
});

test('where there is no room to store what is wanted, it is ended all the same, and its end is ours to tell', async t => {
	const {parts, running, obey} = open();
	obey(0);
	parts.store.close();

	const done = parts.termination.stop(running, 'request', manner(5000));
	await parts.clock.advance(1000);
	const ended = await done;
	const again = await parts.termination.stop(running, 'timeout', manner(5000));

	t.is(parts.terminator.sent[0], 'SIGTERM proc_1 +0.0');
	t.is(ended.state.end.why, 'request');
	t.is(again, ended);
	t.true(parts.termination.isEnding('proc_1'));
	await parts.termination.close();
});

test('SIGTERM comes once, SIGKILL after the grace period', async t => {
	const {parts, running} = open();

	const done = parts.termination.stop(running, 'request', manner(5000));
	await parts.clock.advance(4999);
	t.deepEqual(parts.terminator.sent, ['SIGTERM proc_1 +0.0']);

	await parts.clock.advance(200);
	await done;
	t.deepEqual(parts.terminator.sent.slice(1), ['SIGKILL proc_1 +5.0']);
});

test('a tree that obeys is not made to wait for the grace period', async t => {
	const {parts, running, obey} = open();
	obey(0);

	const done = parts.termination.stop(running, 'request', manner(5000));
	await parts.clock.advance(200);

	t.deepEqual(endOf(await done), {why: 'request', exitCode: 0});
});

test('also a tree that seems gone is swept: that is the proof', async t => {
	const {parts, running, obey} = open();
	obey(0);

	const done = parts.termination.stop(running, 'request', manner(5000));
	await parts.clock.advance(200);
	await done;

	t.deepEqual(parts.terminator.sent, ['SIGTERM proc_1 +0.0', 'SIGKILL proc_1 +0.0']);
});

test('the end of the leader alone is no end', async t => {
	const {parts, running} = open();
	parts.terminator.onAsk = processId => parts.launcher.writeEnd(processId, {exitCode: 143});

	const seen = watch(parts.termination.stop(running, 'request', manner(5000)));
	await parts.clock.advance(4999);
	t.deepEqual([seen.ended, parts.find('proc_1').state.status], [null, 'stopping']);

	await parts.clock.advance(200);
	t.deepEqual(seen.ended && endOf(seen.ended), {why: 'request', exitCode: 143});
});

test('a grace period of 0 is SIGKILL at once, without SIGTERM', async t => {
	const {parts, running} = open();

	const done = parts.termination.stop(running, 'request', manner(0));
	await parts.clock.advance(0);
	await done;

	t.deepEqual(parts.terminator.sent, ['SIGKILL proc_1 +0.0']);
});

test('the end is announced after the stop, and both are stored', async t => {
	const {parts, running} = open();

	const done = parts.termination.stop(running, 'timeout', manner(0));
	await parts.clock.advance(0);
	const ended = await done;

	t.deepEqual(parts.announced, ['stopping', 'ended']);
	t.deepEqual(parts.find('proc_1'), ended);
	t.deepEqual(endOf(ended), {why: 'timeout', exitCode: 137});
});

test('the exit code is waited for while the shim that will write it is alive', async t => {
	const {parts, running} = open();
	parts.terminator.onKill = () => undefined;

	const seen = watch(parts.termination.stop(running, 'request', manner(0)));
	await parts.clock.advance(3000);
	t.is(seen.ended, null);

	parts.launcher.writeEnd('proc_1', {exitCode: 137, endedAt: 77});
	await parts.clock.advance(200);
	t.like(seen.ended?.state, {endedAt: 77, end: {exitCode: 137}});
	t.deepEqual(parts.launcher.closed, []);
});

test('where the shim is dead too, the exit code is not known, and the record is closed', async t => {
	const {parts, running} = open();
	parts.terminator.onKill = () => undefined;
	parts.processTable.dead.add(aStart.shimPid);

	const done = parts.termination.stop(running, 'request', manner(0));
	await parts.clock.advance(0);

	t.deepEqual(endOf(await done), {why: 'request', exitCode: null});
	t.deepEqual(parts.launcher.closed, ['proc_1']);
});

test('a shim that never writes is not waited for beyond five seconds', async t => {
	const {parts, running} = open();
	parts.terminator.onKill = () => undefined;

	const seen = watch(parts.termination.stop(running, 'request', manner(0)));
	await parts.clock.advance(4999);
	t.is(seen.ended, null);

	await parts.clock.advance(200);
	t.deepEqual(seen.ended && endOf(seen.ended), {why: 'request', exitCode: null});
});

test('however many ask, there is one sequence and one answer', async t => {
	const {parts, running} = open();

	const answers = Array.from({length: 10}, () => parts.termination.stop(running, 'request', manner(5000)));
	await parts.clock.advance(6000);
	const ended = await Promise.all(answers);

	t.deepEqual(parts.terminator.sent, ['SIGTERM proc_1 +0.0', 'SIGKILL proc_1 +5.0']);
	t.deepEqual(parts.announced, ['stopping', 'ended']);
	t.is(new Set(ended).size, 1);
});

test('a second caller with a shorter grace period has it, without a second SIGTERM', async t => {
	const {parts, running} = open();

	const first = parts.termination.stop(running, 'request', manner(60_000));
	await parts.clock.advance(1000);
	const second = parts.termination.stop(running, 'request', manner(2000));
	await parts.clock.advance(2200);
	await Promise.all([first, second]);

	t.deepEqual(parts.terminator.sent, ['SIGTERM proc_1 +0.0', 'SIGKILL proc_1 +3.0']);
});

test("a second caller with a longer grace period does not prolong the first one's", async t => {
	const {parts, running} = open();

	const first = parts.termination.stop(running, 'request', manner(2000));
	const second = parts.termination.stop(running, 'request', manner(60_000));
	await parts.clock.advance(2200);
	await Promise.all([first, second]);

	t.deepEqual(parts.terminator.sent, ['SIGTERM proc_1 +0.0', 'SIGKILL proc_1 +2.0']);
});

test('a kill does not change the reason of a timeout that is under way', async t => {
	const {parts, running} = open();

	void parts.termination.stop(running, 'timeout', manner(5000));
	const done = parts.termination.stop(running, 'request', manner(0));
	await parts.clock.advance(200);

	t.deepEqual(endOf(await done), {why: 'timeout', exitCode: 137});
});

test('processes are ended independently of each other', async t => {
	const {parts, running} = open();
	const other = parts.put(aRunningProcess({processId: 'proc_2'}));

	void parts.termination.stop(running, 'request', manner(60_000));
	const done = parts.termination.stop(other, 'request', manner(0));
	await parts.clock.advance(0);

	t.is((await done).processId, 'proc_2');
	t.is(parts.find('proc_1').state.status, 'stopping');
});

test('a close leaves what is under way to the next supervisor, and no timer', async t => {
	const {parts, running} = open();
	const done = parts.termination.stop(running, 'request', manner(5000));
	await parts.clock.advance(1000);

	const refused = t.throwsAsync(done, {
		instanceOf: ShuttingDownError,
		message: /the kill is stored and will be finished$/,
	});
	await parts.termination.close();
	await refused;

	t.is(parts.clock.timers, 0);
	t.like(parts.find('proc_1').state, {status: 'stopping', stop: {isSignaled: true}});
	t.deepEqual(parts.logger.entries, []);
});

test("a kill stands in the record for the dead man's switch, before SIGTERM and after it", async t => {
	const {parts, running} = open();
	const order = {why: 'request', atUptimeMs: parts.clock.uptimeMs(), gracePeriodMs: 5000} as const;

	const done = parts.termination.stop(running, 'request', manner(5000));
	t.deepEqual(parts.launcher.read('proc_1').stop, {...order, isSignaled: false});
	await parts.clock.advance(0);
	t.deepEqual(parts.launcher.read('proc_1').stop, {...order, isSignaled: true});

	await parts.clock.advance(6000);
	await done;
});

test('a deadline that is held stands in the record as one: the store may have no room for it', async t => {
	const {parts, running} = open();

	const done = parts.termination.stop(running, 'timeout', manner(0));
	await parts.clock.advance(0);
	await done;

	t.like(parts.launcher.read('proc_1').stop, {why: 'timeout', gracePeriodMs: 0});
});

test('a record that cannot be written holds up no kill', async t => {
	const {parts, running} = open();
	const error = new Error('EIO');
	parts.launcher.orderStop = () => {
		throw error;
	};

	const done = parts.termination.stop(running, 'request', manner(0));
	await parts.clock.advance(0);

	t.deepEqual(endOf(await done), {why: 'request', exitCode: 137});
	t.like(parts.logger.entries, [{level: 'warn', facts: {error, processId: 'proc_1'}}]);
});

test('that a later kill is more impatient is known to store and record, for whoever goes on', async t => {
	const {parts, running} = open();
	void parts.termination.stop(running, 'request', manner(60_000)).catch(() => undefined);
	await parts.clock.advance(1000);

	void parts.termination.stop(running, 'request', manner(2000)).catch(() => undefined);

	t.is(findStopping(parts).state.stop.gracePeriodMs, 3000);
	t.is(parts.launcher.read('proc_1').stop?.gracePeriodMs, 3000);
	await parts.termination.close();
});

test('an impatient kill that comes when the end was told just now does not bring it back', async t => {
	const {parts, running, obey} = open();
	obey(0);
	parts.bus.on('ended', () => void parts.termination.stop(running, 'request', manner(0)));

	const done = parts.termination.stop(running, 'request', manner(60_000));
	await parts.clock.advance(1000);
	await done;

	t.deepEqual(endOf(parts.find('proc_1')), {why: 'request', exitCode: 0});
});

test('the next supervisor goes on where the one before was: no second SIGTERM, the same grace period', async t => {
	const {parts, running} = open();
	void parts.termination.stop(running, 'request', manner(5000)).catch(() => undefined);
	await parts.clock.advance(1000);
	await parts.termination.close();

	const stopping = findStopping(parts);
	const done = nextTermination(parts).resume(stopping, stopping.state.stop);
	await parts.clock.advance(5200);

	t.deepEqual(endOf(await done), {why: 'request', exitCode: 137});
	t.deepEqual(parts.terminator.sent, ['SIGTERM proc_1 +0.0', 'SIGKILL proc_1 +5.0']);
	t.deepEqual(parts.announced, ['stopping', 'ended']);
});

test('a stop that was committed before any signal begins with SIGTERM after a crash', async t => {
	const parts = new Parts();
	const stopping = parts.put(aStoppingProcess({stop: {atUptimeMs: parts.clock.uptimeMs() - 1000, isSignaled: false}}));
	parts.terminator.onKill = processId => parts.launcher.writeEnd(processId);

	const done = parts.termination.resume(stopping, stopping.state.stop);
	await parts.clock.advance(5200);
	await done;

	t.deepEqual(parts.terminator.sent, ['SIGTERM proc_1 +0.0', 'SIGKILL proc_1 +4.0']);
});

test('a grace period that ran out while no supervisor lived is over: SIGKILL at once', async t => {
	const parts = new Parts();
	const stopping = parts.put(
		aStoppingProcess({stop: {atUptimeMs: parts.clock.uptimeMs() - 60_000, isSignaled: false}}),
	);
	parts.terminator.onKill = processId => parts.launcher.writeEnd(processId);

	const done = parts.termination.resume(stopping, stopping.state.stop);
	await parts.clock.advance(0);
	await done;

	t.deepEqual(parts.terminator.sent, ['SIGKILL proc_1 +0.0']);
});

test("what the dead man's switch began is stored first, and goes on without a second SIGTERM", async t => {
	const {parts, running} = open();
	const atUptimeMs = parts.clock.uptimeMs() - 2000;
	const stop = {...aStop, why: 'timeout', atUptimeMs, isSignaled: true} as const;

	const done = parts.termination.resume(running, stop);
	t.deepEqual(parts.find('proc_1').state, {status: 'stopping', start: aStart, stop});
	await parts.clock.advance(3200);

	t.deepEqual(endOf(await done), {why: 'timeout', exitCode: 137});
	t.deepEqual(parts.terminator.sent, ['SIGKILL proc_1 +3.0']);
});

test('a failure is told to who asked and logged, and asking again begins again', async t => {
	const {parts, running} = open();
	const error = new Error('no /proc');
	parts.terminator.onAsk = () => {
		throw error;
	};

	await t.throwsAsync(parts.termination.stop(running, 'request', manner(5000)), {is: error});
	await settled();
	t.like(parts.logger.entries, [{level: 'error', facts: {error, processId: 'proc_1'}}]);

	parts.terminator.onAsk = () => undefined;
	const done = parts.termination.stop(findStopping(parts), 'request', manner(5000));
	await parts.clock.advance(6000);
	t.deepEqual(endOf(await done), {why: 'request', exitCode: 137});
});

test('a tree is asked with the signal that was wanted', async t => {
	const {parts, running} = open();

	const done = parts.termination.stop(running, 'request', {signal: 'SIGINT', gracePeriodMs: 2000});
	await parts.clock.advance(2200);
	await done;

	t.deepEqual(parts.terminator.sent, ['SIGINT proc_1 +0.0', 'SIGKILL proc_1 +2.0']);
});

test('a tree that was asked is not asked again, not even with another signal', async t => {
	const {parts, running} = open();

	const first = parts.termination.stop(running, 'request', {signal: 'SIGINT', gracePeriodMs: 2000});
	const second = parts.termination.stop(running, 'request', {signal: 'SIGQUIT', gracePeriodMs: 2000});
	await parts.clock.advance(2200);
	await Promise.all([first, second]);

	t.deepEqual(parts.terminator.sent, ['SIGINT proc_1 +0.0', 'SIGKILL proc_1 +2.0']);
});

test('that SIGTERM was sent cannot be stored: SIGKILL comes all the same', async t => {
	const {parts, running} = open();
	const update = parts.store.update.bind(parts.store);
	parts.terminator.onAsk = () => {
		parts.store.update = () => {
			parts.store.update = update;
			throw new Error('database or disk is full');
		};
	};

	const done = parts.termination.stop(running, 'request', manner(5000));
	await parts.clock.advance(5200);

	t.deepEqual(endOf(await done), {why: 'request', exitCode: 137});
	t.like(parts.logger.entries, [{level: 'warn', facts: {processId: 'proc_1'}}]);
});

test('one that sleeps uninterruptibly is stopping and blocked until it wakes, and has ended then', async t => {
	const {parts, running} = open();
	const wake = parts.terminator.block('proc_1');

	const seen = watch(parts.termination.stop(running, 'request', manner(1000)));
	await parts.clock.advance(600_000);
	t.is(seen.ended, null);
	t.like(findStopping(parts).state.stop, {isSignaled: true, isBlocked: true});
	t.deepEqual(parts.announced, ['stopping']);

	wake();
	await parts.clock.advance(200);
	t.deepEqual(seen.ended && endOf(seen.ended), {why: 'request', exitCode: 137});
	t.is(seen.ended && toProcess(seen.ended).blocked, false);
});

test('whoever asks again for one that is blocked has the same answer, and nobody is signalled again', async t => {
	const {parts, running} = open();
	const wake = parts.terminator.block('proc_1');
	const first = parts.termination.stop(running, 'request', manner(0));
	await parts.clock.advance(10_000);

	const second = parts.termination.stop(findStopping(parts), 'request', manner(0));
	wake();
	await parts.clock.advance(200);

	t.is(await first, await second);
	t.deepEqual(parts.terminator.sent, ['SIGKILL proc_1 +0.0']);
});

const cgroup = '/sys/fs/cgroup/nohupd-0123456789ab/proc_1';

test('what a process with a cgroup has used is read before its cgroup is removed, and stored with its end', async t => {
	const parts = new Parts();
	const running = parts.put(aRunningProcess({cgroup}));
	parts.terminator.onKill = processId => parts.launcher.writeEnd(processId, {exitCode: 137});
	const releasedAtEnd: string[][] = [];
	parts.bus.on('ended', () => releasedAtEnd.push([...parts.confinement.released]));

	const done = parts.termination.stop(running, 'request', manner(0));
	await parts.clock.advance(0);

	t.deepEqual((await done).state.usage, {cpuMs: 120, memoryPeakBytes: 4096});
	t.deepEqual([releasedAtEnd, parts.confinement.released], [[[]], [cgroup]]);
});

test('of a process without a cgroup nobody knows what it has used', async t => {
	const {parts, running} = open();

	const done = parts.termination.stop(running, 'request', manner(0));
	await parts.clock.advance(0);

	t.is((await done).state.usage, null);
	t.deepEqual(parts.confinement.released, []);
});

test('one that was killed for want of memory while it was being ended keeps the reason for the stop', async t => {
	const parts = new Parts();
	const running = parts.put(aRunningProcess({cgroup}));
	parts.confinement.isOutOfMemory = true;
	parts.terminator.onKill = processId => parts.launcher.writeEnd(processId, {exitCode: 137});

	const done = parts.termination.stop(running, 'timeout', manner(0));
	await parts.clock.advance(0);

	t.deepEqual(endOf(await done), {why: 'timeout', exitCode: 137});
});

test('what is left of a process whose shim is gone is killed without any grace', async t => {
	const {parts, running} = open();

	await parts.termination.endLeftover(running, manner(0));

	t.deepEqual(parts.terminator.sent, ['SIGKILL proc_1 +0.0']);
	t.deepEqual(parts.announced, []);
});

/** A process that has ended by itself, and what it left behind. */
function openLeftover() {
	const {parts} = open();
	const process = parts.put(anEndedProcess({processId: 'proc_2', leftover: 2}));
	const {state} = process;
	return {parts, process: {...process, state: {...state, start: aStart}}};
}

test('what was left behind is asked, has its grace period, and is killed; its end stays as it was', async t => {
	const {parts, process} = openLeftover();

	const done = parts.termination.endLeftover(process, {signal: 'SIGINT', gracePeriodMs: 3000});
	await parts.clock.advance(3200);
	await done;

	t.deepEqual(parts.terminator.sent, ['SIGINT proc_2 +0.0', 'SIGKILL proc_2 +3.0']);
	t.deepEqual(parts.find('proc_2'), process);
	t.deepEqual(parts.announced, []);
	t.is(parts.clock.timers, 0);
});

test('however many want the end of what was left behind, there is one sequence, as short as the shortest', async t => {
	const {parts, process} = openLeftover();

	const first = parts.termination.endLeftover(process, manner(60_000));
	const others = [manner(2000), manner(30_000)].map(each => parts.termination.endLeftover(process, each));
	t.true(parts.termination.isEndingLeftover('proc_2'));
	await parts.clock.advance(2200);
	await Promise.all([first, ...others]);

	t.deepEqual(parts.terminator.sent, ['SIGTERM proc_2 +0.0', 'SIGKILL proc_2 +2.0']);
	t.false(parts.termination.isEndingLeftover('proc_2'));
});

test('leftovers that are blocked are logged, and whoever waits for their end waits on', async t => {
	const {parts, process} = openLeftover();
	const wake = parts.terminator.block('proc_2');
	let isDone = false;

	const done = parts.termination.endLeftover(process, manner(0)).then(() => {
		isDone = true;
	});
	await parts.clock.advance(60_000);
	t.false(isDone);
	t.like(parts.logger.entries, [{level: 'warn', facts: {processId: 'proc_2'}}]);

	wake();
	await t.notThrowsAsync(done);
});

test('a failure to end leftovers is told to who asked and logged, and asking again begins again', async t => {
	const {parts, process} = openLeftover();
	const error = new Error('no /proc');
	parts.terminator.onKill = () => {
		throw error;
	};

	await t.throwsAsync(parts.termination.endLeftover(process, manner(0)), {is: error});
	await settled();
	t.like(parts.logger.entries, [{level: 'error', facts: {error, processId: 'proc_2'}}]);
	t.false(parts.termination.isEndingLeftover('proc_2'));

	parts.terminator.onKill = () => undefined;
	await t.notThrowsAsync(parts.termination.endLeftover(process, manner(0)));
});

test('a close lets go of leftovers too, and leaves no timer', async t => {
	const {parts, process} = openLeftover();
	const done = parts.termination.endLeftover(process, manner(5000));
	await parts.clock.advance(1000);

	const refused = t.throwsAsync(done, {
		instanceOf: ShuttingDownError,
		message: /the kill is stored and will be finished$/,
	});
	await parts.termination.close();
	await refused;

	t.is(parts.clock.timers, 0);
	t.deepEqual(parts.logger.entries, []);
});

test('a kill of leftovers stands in the record, and is finished by the next supervisor without a second SIGTERM', async t => {
	const {parts, process} = openLeftover();
	parts.launcher.writeEnd('proc_2');
	void parts.termination.endLeftover(process, manner(5000)).catch(() => undefined);
	await parts.clock.advance(1000);
	await parts.termination.close();
	const {leftoverStop} = parts.launcher.read('proc_2');

	const done = nextTermination(parts).resumeLeftover(process, {...aStop, ...leftoverStop, gracePeriodMs: 5000});
	await parts.clock.advance(5000);
	await done;

	t.like(leftoverStop, {why: 'request', gracePeriodMs: 5000, isSignaled: true});
	t.deepEqual(parts.terminator.sent, ['SIGTERM proc_2 +0.0', 'SIGKILL proc_2 +5.0']);
});

test('one that is lost was not stopped by anybody: its record does not say so', async t => {
	const {parts, running} = open();

	const done = parts.termination.endLeftover(running, manner(0));
	await parts.clock.advance(0);
	await done;

	t.is(parts.launcher.read('proc_1').stop, null);
});
