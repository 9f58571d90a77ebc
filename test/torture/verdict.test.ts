import test from 'ava';
import type {Plan} from './shapes.js';
import type {Truth} from './truth.js';
import {type Circumstances, findLies, type Output, type Shown} from './verdict.js';

const plan: Plan = {body: {name: 'one', command: '…', timeout: 2}, exitCode: 7, lines: 2};
const output: Output = {stdout: '1\n2\n', stderr: '1\n2\n'};
const nothingDone: Circumstances = {wasKilled: false, wasShimKilled: false, wasDiskFull: false};
const began = {processId: 'proc_1', at: 1010};
const truth: Truth = {began: [began], ended: {exitCode: '7', at: 1900}, hasWritten: true};
const shown: Shown = {
	process_id: 'proc_1',
	name: 'one',
	status: 'failed',
	reason: 'exited',
	exit_code: 7,
	pid: 1,
	created_at: '1970-01-01T00:00:00.990Z',
	started_at: '1970-01-01T00:00:01.000Z',
	completed_at: '1970-01-01T00:00:01.910Z',
	execution_time: 0.91,
	leftover: 0,
};
const killed = {reason: 'request', exit_code: 143};
const cutShort = {...truth, ended: null, hasWritten: false};

interface Case {
	readonly process?: Partial<Shown>;
	readonly truth?: Partial<Truth>;
	readonly circumstances?: Partial<Circumstances>;
	readonly output?: Partial<Output>;
}

function liesIn(given: Case): string[] {
	return findLies(
		plan,
		{...shown, ...given.process},
		{...truth, ...given.truth},
		{...nothingDone, ...given.circumstances},
		{...output, ...given.output},
	);
}

const believes = test.macro({
	exec: (t, given: Case) => t.deepEqual(liesIn(given), []),
	title: (what = '') => `believes ${what}`,
});

const finds = test.macro({
	exec(t, lie: string, given: Case) {
		t.deepEqual(liesIn(given), [lie]);
	},
	title: (what = '') => `does not believe ${what}`,
});

test('an end as it was planned', believes, {});
test('a kill that somebody asked for', believes, {
	process: killed,
	truth: cutShort,
	circumstances: {wasKilled: true},
	output: {stdout: '1\n', stderr: 'Terminated\n'},
});
test('a timeout', believes, {process: {reason: 'timeout', exit_code: 137, execution_time: 2.01}, truth: cutShort});
test('an unknown end where the shim was killed', believes, {
	process: {reason: 'lost', exit_code: null},
	truth: cutShort,
	circumstances: {wasShimKilled: true},
});
test('a start that failed on a full disk', believes, {
	process: {reason: 'start_failed', exit_code: null, started_at: null},
	truth: {...cutShort, began: []},
	circumstances: {wasDiskFull: true},
	output: {stdout: '', stderr: ''},
});

test('a second run', finds, 'ran 2 times', {truth: {began: [began, began]}});
test('a run in the name of another', finds, 'ran as proc_2', {truth: {began: [{...began, processId: 'proc_2'}]}});
test('an end without a run', finds, 'exited and never ran', {truth: {began: []}});
test('another exit code', finds, 'should have exited with 7', {process: {exit_code: 0}});
test('an exit of what never came to it', finds, 'should have exited with 7', {truth: {ended: null}});
test('a kill that nobody asked for', finds, 'was killed, and nobody asked', {process: killed, truth: cutShort});
test('an unknown exit code where the shim lived', finds, 'ran, and its shim lived, but has no exit code', {
	process: {...killed, exit_code: null},
	truth: cutShort,
	circumstances: {wasKilled: true},
});
test('an invented exit code', finds, 'was ended, and has the exit code 1', {
	process: {...killed, exit_code: 1},
	truth: cutShort,
	circumstances: {wasKilled: true},
});
test('an unknown end where the shim lived', finds, 'is lost, and its shim was not killed', {
	process: {reason: 'lost', exit_code: null},
	truth: cutShort,
});
test('a failed start without a fault', finds, 'could not start, and nothing was in its way', {
	process: {reason: 'start_failed', exit_code: null, started_at: null},
	truth: {...cutShort, began: []},
});
test('a failed start of what ran', finds, 'could not start and ran', {
	process: {reason: 'start_failed', exit_code: null},
	truth: cutShort,
	circumstances: {wasDiskFull: true},
});
test('a reason that is none', finds, 'has a reason that cannot be: null', {process: {reason: null}});
test('another time of its start', finds, 'began at another time', {
	process: {started_at: '1970-01-01T00:00:01.200Z'},
});
test('another time of its end', finds, 'ended at another time', {process: {completed_at: '1970-01-01T00:00:01.700Z'}});
test('a deadline that was not kept', finds, 'should have been ended within 15 s', {process: {execution_time: 15.1}});
test('a timeout before its time', finds, 'had 2 s', {
	process: {reason: 'timeout', exit_code: 143, execution_time: 1.5},
	truth: cutShort,
});
for (const stream of ['stdout', 'stderr'] as const) {
	test(`less on ${stream} than was written`, finds, `wrote 4 bytes to ${stream}, and 2 other ones are shown`, {
		output: {[stream]: '1\n'},
		circumstances: {wasDiskFull: true},
	});
}

test('more than could have been written by then', finds, 'wrote 4 bytes to stdout, and 2 other ones are shown', {
	process: killed,
	truth: cutShort,
	circumstances: {wasKilled: true},
	output: {stdout: '2\n'},
});
