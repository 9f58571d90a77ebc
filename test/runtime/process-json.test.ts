import test from 'ava';
import {listedProcessJson, processDetailsJson, processJson, startJson} from '../../runtime/process-json.js';
import {aProcess} from '../helpers/http-server.js';

const start = Date.UTC(2026, 0, 1);

test('a running process, in the documented spelling', t => {
	const process = aProcess({
		name: 'build',
		args: ['60'],
		stdout: 'out',
		stderr: 'err',
		stdoutBytes: 3,
		stderrBytes: 30,
		stdoutDropped: 1,
		stderrDropped: 10,
	});

	t.deepEqual(processJson(process, start + 1500), {
		process_id: 'proc_1',
		execution_id: 'exec_1',
		name: 'build',
		owner: null,
		status: 'running',
		reason: null,
		message: null,
		language: 'bash',
		command: 'sleep 60',
		args: ['60'],
		working_dir: '/srv',
		timeout: 300,
		pid: 4711,
		created_at: '2026-01-01T00:00:00.000Z',
		started_at: '2026-01-01T00:00:00.000Z',
		completed_at: null,
		execution_time: 1.5,
		exit_code: null,
		signal: null,
		stdout: 'out',
		stderr: 'err',
		stdout_bytes: 3,
		stderr_bytes: 30,
		stdout_dropped: 1,
		stderr_dropped: 10,
		containment: 'session',
		limits: null,
		stdin: false,
		ready: null,
		ready_at: null,
		ready_timed_out_at: null,
		leftover: 0,
		blocked: false,
	});
});

test('when it was ready is told as it was asked for: seconds, and ISO 8601', t => {
	const process = aProcess({stdin: true, ready: {port: 80, timeoutMs: 1500}, readyAt: start + 1});

	t.like(processJson(process, start), {
		stdin: true,
		ready: {port: 80, timeout: 1.5},
		ready_at: '2026-01-01T00:00:00.001Z',
		ready_timed_out_at: null,
	});
});

test('an ended process has the time it took', t => {
	const process = aProcess({
		status: 'killed',
		reason: 'request',
		endedAt: start + 10_000,
		durationMs: 9750,
		exitCode: 143,
	});

	t.like(processJson(process, start + 99_000), {
		status: 'killed',
		reason: 'request',
		completed_at: '2026-01-01T00:00:10.000Z',
		execution_time: 9.75,
		exit_code: 143,
	});
});

test('a time that nobody knows is null', t => {
	const lost = aProcess({status: 'failed', reason: 'lost', endedAt: start + 10_000});
	const queued = aProcess({status: 'queued', startedAt: null, pid: null});

	t.like(processJson(lost, start + 99_000), {execution_time: null, exit_code: null});
	t.like(processJson(queued, start + 99_000), {execution_time: null, started_at: null, pid: null});
});

test('no process has run for less than no time, even if the clock was set back', t => {
	t.like(processJson(aProcess(), start - 5000), {execution_time: 0});
});

test('what was asked for, what is left and what is blocked, in the spelling of the HTTP API', t => {
	const process = aProcess({
		containment: 'cgroup',
		limits: {memoryBytes: 1_048_576, pids: 5, cpuPercent: 150, bestEffort: true},
		leftover: 2,
		blocked: true,
	});

	t.like(processJson(process, start), {
		containment: 'cgroup',
		limits: {memory_bytes: 1_048_576, pids: 5, cpu_percent: 150, best_effort: true},
		leftover: 2,
		blocked: true,
	});
});

test('a limit that was not asked for is not shown', t => {
	const shown = JSON.parse(JSON.stringify(processJson(aProcess({limits: {pids: 5}}), start)));

	t.deepEqual(shown.limits, {pids: 5});
});

test('one process alone tells what it uses, processor time in seconds', t => {
	const usage = {cpuMs: 1230, memoryBytes: null, memoryPeakBytes: 8192, processes: 0};

	t.like(processDetailsJson({...aProcess({name: 'one'}), usage}, start), {
		name: 'one',
		usage: {cpu_seconds: 1.23, memory_bytes: null, memory_peak_bytes: 8192, processes: 0},
	});
});

test('what nobody knows of its use is null, the parts as the whole', t => {
	const nothing = {cpuMs: null, memoryBytes: null, memoryPeakBytes: null, processes: 1};

	t.like(processDetailsJson({...aProcess(), usage: null}, start), {usage: null});
	t.like(processDetailsJson({...aProcess(), usage: nothing}, start), {
		usage: {cpu_seconds: null, memory_bytes: null, memory_peak_bytes: null, processes: 1},
	});
});

test('in a list a long command is cut, alone it is whole', t => {
	const process = aProcess({command: 'x'.repeat(5_000_000)});

	t.like(listedProcessJson(process, start), {command: `${'x'.repeat(4096)}…`});
	t.like(processJson(process, start), {command: process.command});
});

test('a cut never goes through a character', t => {
	t.like(listedProcessJson(aProcess({command: `${'x'.repeat(4095)}😀`}), start), {command: `${'x'.repeat(4095)}…`});
});

test('in a list long arguments are cut, however many', t => {
	const listed = (args: string[]) => (listedProcessJson(aProcess({args}), start) as {args: string[]}).args;

	t.deepEqual(listed(['-c', 'true']), ['-c', 'true']);
	t.deepEqual(listed(['-c', 'x'.repeat(5000), 'y']), ['-c', `${'x'.repeat(4093)}…`, '…']);
	t.is(listed(Array.from({length: 100_000}, () => '')).length, 4097);
	t.deepEqual(listed([]), []);
});

const answersStart = test.macro((t, facts: Parameters<typeof aProcess>[0], status: string) => {
	t.deepEqual(startJson(aProcess(facts)), {process_id: 'proc_1', execution_id: 'exec_1', status});
});

test('the answer to a start: running', answersStart, {status: 'running'}, 'running');
test('the answer to a start: queued', answersStart, {status: 'queued'}, 'queued');
test(
	'the answer to a start: running, though it was quick',
	answersStart,
	{status: 'completed', reason: 'exited'},
	'running',
);
test('the answer to a start: running, though it failed', answersStart, {status: 'failed', reason: 'exited'}, 'running');
test(
	'the answer to a start: failed, where it never ran',
	answersStart,
	{status: 'failed', reason: 'start_failed'},
	'failed',
);
