import test from 'ava';
import type {End, EndedProcess, ProcessRecord} from '../../lib/process.js';
import {type PublicStatus, publicStatus, toProcess} from '../../lib/process-view.js';
import {anEndedProcess, aQueuedProcess, aRunningProcess, aStart, aStoppingProcess} from '../helpers/a-process.js';

const endedAs = (end: Partial<End>): EndedProcess => anEndedProcess({end});

const hasStatus = test.macro({
	exec(t, process: ProcessRecord, status: PublicStatus) {
		t.is(publicStatus(process.state), status);
	},
	title: (what = '', _, status) => `${what} shows as ${status}`,
});

test('a queued process', hasStatus, aQueuedProcess(), 'queued');
test('a running process', hasStatus, aRunningProcess(), 'running');
test('a stopping process', hasStatus, aStoppingProcess(), 'running');
test('exit code 0', hasStatus, endedAs({why: 'exited', exitCode: 0}), 'completed');
test('another exit code', hasStatus, endedAs({why: 'exited', exitCode: 1}), 'failed');
test('a signal from outside', hasStatus, endedAs({why: 'signaled', exitCode: 137, signal: 'SIGKILL'}), 'failed');
test('a failed start', hasStatus, endedAs({why: 'start_failed', exitCode: null}), 'failed');
test('an end nobody knows', hasStatus, endedAs({why: 'lost', exitCode: null}), 'failed');
test('an end by a reboot', hasStatus, endedAs({why: 'reboot', exitCode: null}), 'failed');
test('an end for want of memory', hasStatus, endedAs({why: 'oom', exitCode: 137}), 'failed');
test('an end by request, whatever the exit code,', hasStatus, endedAs({why: 'request', exitCode: 0}), 'killed');
test('an end by timeout, whatever the exit code,', hasStatus, endedAs({why: 'timeout', exitCode: 3}), 'killed');

test('the outside sees of a queued process that nothing has happened yet', t => {
	t.deepEqual(toProcess(aQueuedProcess({command: {name: 'build', line: 'make', args: ['all']}, createdAt: 7})), {
		processId: 'proc_1',
		executionId: 'exec_1',
		name: 'build',
		owner: null,
		command: 'make',
		args: ['all'],
		workingDir: '/srv',
		timeoutMs: 300_000,
		limits: null,
		stdin: false,
		ready: null,
		readyAt: null,
		readyTimedOutAt: null,
		containment: 'session',
		status: 'queued',
		reason: null,
		stopping: null,
		pid: null,
		createdAt: 7,
		startedAt: null,
		endedAt: null,
		durationMs: null,
		exitCode: null,
		signal: null,
		message: null,
		leftover: 0,
		blocked: false,
	});
});

test('the outside sees of a stopping process that it runs, and why it is being ended', t => {
	t.like(toProcess(aStoppingProcess({stop: {why: 'timeout'}})), {
		status: 'running',
		stopping: 'timeout',
		reason: null,
		pid: aStart.identity.pid,
		startedAt: aStart.startedAt,
		endedAt: null,
		exitCode: null,
	});
});

test('the outside sees of an ended process when, how and why', t => {
	const ended = anEndedProcess({end: {why: 'signaled', exitCode: 139, signal: 'SIGSEGV', message: 'A sentence'}});

	t.like(toProcess(ended), {
		status: 'failed',
		reason: 'signaled',
		stopping: null,
		startedAt: aStart.startedAt,
		endedAt: ended.state.endedAt,
		durationMs: 1500,
		exitCode: 139,
		signal: 'SIGSEGV',
		message: 'A sentence',
	});
});

test('the outside sees what a process was held by, and its limits', t => {
	const limits = {pids: 20, bestEffort: true};

	t.like(toProcess(aRunningProcess({cgroup: '/sys/fs/cgroup/nohupd-x/proc_1', command: {limits}})), {
		containment: 'cgroup',
		limits,
	});
});

test('the outside sees of a stopping process that it is blocked', t => {
	t.like(toProcess(aStoppingProcess({stop: {isBlocked: true}})), {status: 'running', blocked: true});
});

test('the outside sees of an ended process how much of it is alive', t => {
	t.like(toProcess(anEndedProcess({leftover: 2})), {status: 'completed', leftover: 2, blocked: false});
});
