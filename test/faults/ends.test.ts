import test from 'ava';
import type {CommandInput, Process} from '../../lib/index.js';
import {eventually} from '../helpers/eventually.js';
import {findProcesses, isAlive, killQuietly, readProc} from '../helpers/processes.js';
import {openSupervisor} from '../helpers/state-dir.js';

/** Far above what it takes, and far below what it would take if the promise broke; machines are busy. */
const patienceMs = 10_000;

const ends = test.macro(async (t, command: CommandInput, expected: Partial<Process>) => {
	const supervisor = await openSupervisor(t);

	const {processId} = await supervisor.start(command);
	const ended = await supervisor.wait(processId);

	t.like(ended, expected);
	t.like(await supervisor.get(processId), expected);
});

const exited = (exitCode: number) => ({status: 'failed', reason: 'exited', exitCode, signal: null}) as const;
const signaled = (signal: string, exitCode: number) =>
	({status: 'failed', reason: 'signaled', exitCode, signal}) as const;

test(
	'11: exit 0 is completed',
	ends,
	{command: 'exit 0'},
	{status: 'completed', reason: 'exited', exitCode: 0, signal: null},
);
test('11: exit 1 is failed with 1', ends, {command: 'exit 1'}, exited(1));
test('11: exit 255 is failed with 255', ends, {command: 'exit 255'}, exited(255));
test('11: exit 143 is told as a shell tells it, SIGTERM', ends, {command: 'exit 143'}, signaled('SIGTERM', 143));
test('11: SIGTERM to itself is 143', ends, {command: 'kill -TERM $$'}, signaled('SIGTERM', 143));
test('11: SIGKILL to itself is 137', ends, {command: 'kill -KILL $$'}, signaled('SIGKILL', 137));
test('11: SIGSEGV is 139', ends, {command: 'kill -SEGV $$'}, signaled('SIGSEGV', 139));
test('11: SIGABRT is 134, under its usual name', ends, {command: 'kill -ABRT $$'}, signaled('SIGABRT', 134));
test('11: SIGINT is 130', ends, {command: 'kill -INT $$'}, signaled('SIGINT', 130));
test(
	'11: a program ended by a signal is told like a shell',
	ends,
	{command: 'bash', args: ['-c', 'kill -SEGV $$']},
	signaled('SIGSEGV', 139),
);

for (const [signal, exitCode] of [
	['SIGTERM', 143],
	['SIGKILL', 137],
	['SIGHUP', 129],
] as const) {
	test(`11: ${signal} from outside is ${exitCode}, and nobody here wanted it`, async t => {
		const supervisor = await openSupervisor(t);
		const {processId, pid} = await supervisor.start({command: 'sleep', args: ['60']});

		process.kill(Number(pid), signal);

		t.like(await supervisor.wait(processId), signaled(signal, exitCode));
	});
}

test.serial('12: a shell that leaves a child behind has ended within a second, with its own exit code', async t => {
	const supervisor = await openSupervisor(t);

	const {processId} = await supervisor.start({command: 'sleep 60 & echo $!; exit 3'});
	const ended = await supervisor.wait(processId);
	const seenAt = Date.now();
	const child = Number((await supervisor.get(processId)).stdout);

	t.like(ended, exited(3));
	t.true(seenAt - Number(ended.startedAt) < patienceMs);
	t.true(isAlive(child));
	t.deepEqual(findProcesses(`NOHUPD_PROCESS_ID=${processId}`), [child]);
	killQuietly(child);
});

test('14: a command that closes every descriptor is still tracked, and its exit code is right', async t => {
	const supervisor = await openSupervisor(t);

	const {processId} = await supervisor.start({
		command: 'exec 0<&- 1>&- 2>&-; sleep 0.2; exit 7',
	});
	const ended = await supervisor.wait(processId);

	t.like(ended, exited(7));
});

test(
	'attack: a command that kills its whole group ends by SIGKILL, and is not lost',
	ends,
	{command: 'sleep 60 & kill -KILL 0'},
	signaled('SIGKILL', 137),
);

test('attack: a command that stops itself is running, and ends as it wants once it is continued', async t => {
	const supervisor = await openSupervisor(t);
	const {processId, pid} = await supervisor.start({command: 'kill -STOP $$; exit 4'});
	await eventually(() => /\) T /.test(readProc(Number(pid), 'stat')));

	const meanwhile = await supervisor.get(processId);
	process.kill(Number(pid), 'SIGCONT');

	t.like(meanwhile, {status: 'running', exitCode: null});
	t.like(await supervisor.wait(processId), exited(4));
});

test('attack: 100 MB on standard output are all there, and the end is known', async t => {
	const supervisor = await openSupervisor(t);

	const {processId} = await supervisor.start({command: 'head -c 100000000 /dev/zero; echo last >&2; exit 6'});
	await supervisor.wait(processId);

	t.like(await supervisor.get(processId, {tailBytes: 10}), {
		exitCode: 6,
		stdout: '\0'.repeat(10),
		stdoutBytes: 100_000_000,
		stderr: 'last\n',
	});
});

test(
	'attack: the deepest tree of exits tells only the one of the command itself',
	ends,
	{command: '(exit 1); bash -c "exit 2"; sleep 0 & wait; exit 3'},
	exited(3),
);
