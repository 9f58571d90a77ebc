import test from 'ava';
import {
	recordEnd,
	recordForgotten,
	recordLeftover,
	recordStart,
	recordStop,
	recordStopBeforeStart,
	signalFromExitCode,
} from '../../lib/transitions.js';
import {
	anEndedProcess,
	aQueuedProcess,
	aRunningProcess,
	aStart,
	aStop,
	aStoppingProcess,
} from '../helpers/a-process.js';

const exit = (exitCode: number) => ({exitCode, endedAt: 5000, durationMs: 1500});

test('a queued process that starts is running', t => {
	const running = recordStart(aQueuedProcess(), aStart);

	t.deepEqual(running, aRunningProcess());
});

test('a running process that somebody wants ended is stopping, and remembers its start', t => {
	const stopping = recordStop(aRunningProcess(), aStop);

	t.deepEqual(stopping.state, {status: 'stopping', start: aStart, stop: aStop});
});

test('of two stops the first counts', t => {
	const stopping = aStoppingProcess({stop: {why: 'request', atUptimeMs: 1}});

	const again = recordStop(stopping, {...aStop, why: 'timeout', atUptimeMs: 2});

	t.deepEqual(again, stopping);
});

test('an exit of its own is "exited" with its code', t => {
	const ended = recordEnd(aRunningProcess(), exit(3));

	t.deepEqual(ended.state, {
		status: 'ended',
		start: aStart,
		endedAt: 5000,
		durationMs: 1500,
		end: {why: 'exited', exitCode: 3, signal: null, message: null},
		leftover: 0,
		usage: null,
	});
});

test('an exit code above 128 that stands for a signal is "signaled" and names it', t => {
	const ended = recordEnd(aRunningProcess(), exit(143));

	t.deepEqual(ended.state.end, {why: 'signaled', exitCode: 143, signal: 'SIGTERM', message: null});
});

test('an exit after a stop keeps the reason for the stop', t => {
	const stopping = aStoppingProcess({stop: {why: 'timeout'}});

	const ended = recordEnd(stopping, exit(0));

	t.deepEqual(ended.state.end, {why: 'timeout', exitCode: 0, signal: null, message: null});
});

test('an end that nobody saw, after a stop, keeps the reason for the stop and has no exit code', t => {
	const stopping = aStoppingProcess({stop: {why: 'request'}});

	const ended = recordEnd(stopping, {exitCode: null, endedAt: 5000, durationMs: null, why: 'lost'});

	t.like(ended.state, {durationMs: null, end: {why: 'request', exitCode: null, signal: null}});
});

for (const why of ['start_failed', 'lost', 'reboot'] as const) {
	test(`an end without an exit code is what was seen of it: ${why}`, t => {
		const ended = recordEnd(aRunningProcess(), {
			exitCode: null,
			endedAt: 5000,
			durationMs: null,
			why,
			message: 'A sentence',
		});

		t.deepEqual(ended.state.end, {why, exitCode: null, signal: null, message: 'A sentence'});
	});
}

test('a queued process that ends has never started', t => {
	const ended = recordEnd(aQueuedProcess(), {exitCode: null, endedAt: 5000, durationMs: null, why: 'start_failed'});

	t.like(ended.state, {status: 'ended', start: null, endedAt: 5000, end: {why: 'start_failed'}});
});

test('a queued process that is stopped has never started, and keeps the reason', t => {
	const ended = recordStopBeforeStart(aQueuedProcess(), 'request', 5000);

	t.deepEqual(ended.state, {
		status: 'ended',
		start: null,
		endedAt: 5000,
		durationMs: null,
		end: {why: 'request', exitCode: null, signal: null, message: null},
		leftover: 0,
		usage: null,
	});
});

test('an end keeps what the tree has used, where the kernel told', t => {
	const usage = {cpuMs: 120, memoryPeakBytes: 4096};

	const ended = [aRunningProcess(), aStoppingProcess()].map(process => recordEnd(process, {...exit(0), usage}));

	t.deepEqual(
		ended.map(({state}) => state.usage),
		[usage, usage],
	);
});

test('an end for want of memory keeps its exit code and the signal behind it', t => {
	const ended = recordEnd(aRunningProcess(), {...exit(137), why: 'oom'});

	t.deepEqual(ended.state.end, {why: 'oom', exitCode: 137, signal: 'SIGKILL', message: null});
});

test('what was wanted is the reason, also where memory ran out meanwhile', t => {
	const ended = recordEnd(aStoppingProcess({stop: {why: 'request'}}), {...exit(137), why: 'oom'});

	t.is(ended.state.end.why, 'request');
});

test('a count of what was left behind changes nothing else', t => {
	const ended = anEndedProcess({end: {exitCode: 3}});

	t.deepEqual(recordLeftover(ended, 2), anEndedProcess({end: {exitCode: 3}, leftover: 2}));
});

test('a second end changes nothing', t => {
	const ended = anEndedProcess({end: {exitCode: 3}});

	t.deepEqual(recordEnd(ended, exit(0)), ended);
});

test('of a process that is forgotten a long command is told in part', t => {
	const short = anEndedProcess({command: {line: 'tar', args: ['-x']}});
	const long = anEndedProcess({command: {line: 'x'.repeat(5_000_000)}});
	const many = anEndedProcess({command: {line: 'printf', args: ['x'.repeat(5_000_000)]}});

	t.is(recordForgotten(short), short);
	t.deepEqual(recordForgotten(long), {...long, command: {...long.command, line: 'x'.repeat(1024)}});
	t.deepEqual(recordForgotten(many), {...many, command: {...many.command, args: []}});
});

test('an exit code names the signal that a shell means by it, by its usual name', t => {
	const codes = [129, 130, 131, 134, 137, 139, 141, 143];

	t.deepEqual(codes.map(signalFromExitCode), [
		'SIGHUP',
		'SIGINT',
		'SIGQUIT',
		'SIGABRT',
		'SIGKILL',
		'SIGSEGV',
		'SIGPIPE',
		'SIGTERM',
	]);
});

test('an exit code that stands for no signal names none', t => {
	t.deepEqual([null, 0, 1, 127, 128, 255].map(signalFromExitCode), [null, null, null, null, null, null]);
});
