import {chmodSync, mkdirSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {type CommandInput, CommandInvalidError} from '../../lib/index.js';
import {Agent} from '../helpers/agent-client.js';
import {makeGate} from '../helpers/gate.js';
import {openSupervisor} from '../helpers/state-dir.js';
import {besides, listKept} from '../helpers/state-files.js';

const isRoot = process.getuid?.() === 0;
const nobody = 65_534;
/** execve(2): MAX_ARG_STRLEN without the terminating NUL. */
const longest = 131_071;

const refused = test.macro(async (t, command: CommandInput, field: string, problem: RegExp) => {
	const supervisor = await openSupervisor(t);

	const error = await t.throwsAsync(supervisor.start(command), {instanceOf: CommandInvalidError});

	t.is(error.field, field);
	t.regex(error.message, problem);
	t.deepEqual((await supervisor.list()).processes, []);
	t.deepEqual(listKept(supervisor.stateDir), []);
});

test(
	'3: a working directory that is missing is named and refused, and nothing is stored',
	refused,
	{command: 'true', workingDir: '/no/such/directory'},
	'workingDir',
	/does not exist: "\/no\/such\/directory"/,
);

test(
	'3: a working directory that is a file is named and refused, and nothing is stored',
	refused,
	{command: 'true', workingDir: '/etc/passwd'},
	'workingDir',
	/is not a directory: "\/etc\/passwd"/,
);

test(
	'3: a working directory below a file is named and refused, and nothing is stored',
	refused,
	{command: 'true', workingDir: '/etc/passwd/below'},
	'workingDir',
	/is not a directory: "\/etc\/passwd\/below"/,
);

test('3: a working directory that may not be entered is named and refused, and nothing is stored', async t => {
	// Root enters every directory, so the agent is somebody else then.
	const parent = mkdtempSync(join(tmpdir(), 'nohupd-test-'));
	t.teardown(() => rmSync(parent, {recursive: true}));
	const closed = join(parent, 'closed');
	mkdirSync(closed, {mode: 0o000});
	chmodSync(parent, 0o777);
	const stateDir = join(parent, 'state');
	const agent = await Agent.open(t, stateDir, {workingDir: parent}, isRoot ? {uid: nobody} : {});

	await t.throwsAsync(agent.start({command: 'true', workingDir: closed}), {
		message: `CommandInvalidError: workingDir may not be entered: "${closed}"`,
	});

	t.deepEqual((await agent.list()).processes, []);
	t.deepEqual(listKept(stateDir), []);
	await agent.close();
});

test('3: a working directory that vanishes while the command waits in the queue makes it fail, not run elsewhere', async t => {
	const supervisor = await openSupervisor(t, {maxRunning: 1});
	const gate = makeGate(supervisor.stateDir);
	const workingDir = besides(supervisor.stateDir, 'work');
	mkdirSync(workingDir);
	await supervisor.start({command: gate.wait});
	const {processId} = await supervisor.start({command: 'pwd', workingDir});

	rmSync(workingDir, {recursive: true});
	gate.open();
	const {status, reason, exitCode, message} = await supervisor.wait(processId);
	const {stdout, stderr} = await supervisor.get(processId);

	t.deepEqual(
		{status, reason, exitCode, stdout},
		{status: 'failed', reason: 'start_failed', exitCode: null, stdout: ''},
	);
	t.regex(String(message), /could not be started/);
	t.true(stderr.includes(workingDir));
});

const failsNaming = test.macro(async (t, command: CommandInput, exitCode: number, named: string) => {
	const supervisor = await openSupervisor(t);

	const {processId} = await supervisor.start(command);
	const ended = await supervisor.wait(processId);
	const {stderr} = await supervisor.get(processId);

	t.like(ended, {status: 'failed', exitCode});
	t.true(stderr.includes(named), stderr);
});

test(
	'4: a program that is missing fails with 127, and is named',
	failsNaming,
	{command: 'no-such-program', args: ['x']},
	127,
	'no-such-program',
);
test(
	'4: a path without a program fails with 127, and is named',
	failsNaming,
	{command: '/no/such/program', args: []},
	127,
	'/no/such/program',
);
test(
	'4: a program that is a directory fails with 126, and is named',
	failsNaming,
	{command: '/etc', args: []},
	126,
	'/etc',
);
test(
	'4: a file that may not be executed fails with 126, and is named',
	failsNaming,
	{command: '/etc/passwd', args: []},
	126,
	'/etc/passwd',
);
test(
	'4: a shell line whose program is missing fails with 127, and is named',
	failsNaming,
	{command: 'no-such-program x'},
	127,
	'no-such-program',
);

test('5: a shell line of 5 MB runs', async t => {
	const supervisor = await openSupervisor(t);
	const filler = 'é'.repeat(2_500_000);

	const {processId} = await supervisor.start({
		command: `filler='${filler}'\nprintf %s "\${#filler} $NOHUPD_PROCESS_ID"`,
		env: {LC_ALL: 'C'},
	});
	await supervisor.wait(processId);

	t.like(await supervisor.get(processId), {exitCode: 0, stdout: `5000000 ${processId}`});
});

test('5: a shell line as long as one argument may be runs, and one byte more runs too', async t => {
	const supervisor = await openSupervisor(t);
	const lines = [longest, longest + 1].map(length => 'echo done #'.padEnd(length, 'x'));

	const ended = await Promise.all(
		lines.map(async command => {
			const {processId} = await supervisor.start({command});
			await supervisor.wait(processId);
			return supervisor.get(processId);
		}),
	);

	t.deepEqual(
		ended.map(({exitCode, stdout}) => ({exitCode, stdout})),
		[
			{exitCode: 0, stdout: 'done\n'},
			{exitCode: 0, stdout: 'done\n'},
		],
	);
});

for (const [field, command] of Object.entries({
	command: {command: 'echo \0'},
	'args.1': {command: 'echo', args: ['x', 'a\0b']},
	'env.NAME': {command: 'true', env: {NAME: 'a\0b'}},
	'env.NA\0ME': {command: 'true', env: {'NA\0ME': 'x'}},
	workingDir: {command: 'true', workingDir: '/tmp\0'},
	name: {command: 'true', name: 'a\0b'},
})) {
	const shown = field.replace('\0', '\\0');
	test(`5: a NUL in ${shown} is refused, and nothing is stored`, refused, command, field, /NUL|control/);
}

test('5: an argument and a variable as long as they may be arrive whole', async t => {
	const supervisor = await openSupervisor(t);
	const argument = 'a'.repeat(longest);
	const value = 'ü'.repeat((longest - 'NAME='.length) / 2);

	const {processId} = await supervisor.start({
		command: 'bash',
		args: ['-c', 'printf "$1$NAME" | wc -c', 'bash', argument],
		env: {NAME: value, LC_ALL: 'C'},
	});
	await supervisor.wait(processId);

	t.like(await supervisor.get(processId), {exitCode: 0, stdout: `${longest * 2 - 'NAME='.length}\n`});
});

test(
	'5: an argument one byte too long is refused, and nothing is stored',
	refused,
	{command: 'echo', args: ['a'.repeat(longest + 1)]},
	'args.0',
	/at most 131071 bytes/,
);

test(
	'5: a variable one byte too long is refused, and nothing is stored',
	refused,
	{command: 'true', env: {NAME: 'a'.repeat(longest + 1 - 'NAME='.length)}},
	'env.NAME',
	/at most 131071 bytes/,
);

test('5: more arguments than the kernel takes make the command fail, not the agent', async t => {
	const supervisor = await openSupervisor(t);
	const args = Array.from({length: 60}, () => 'a'.repeat(longest));

	const {processId} = await supervisor.start({command: 'true', args});
	const ended = await supervisor.wait(processId);
	const {stderr} = await supervisor.get(processId);
	const next = await supervisor.start({command: 'true'});

	t.like(ended, {status: 'failed', exitCode: 126});
	t.regex(stderr, /Argument list too long/);
	t.like(await supervisor.wait(next.processId), {status: 'completed'});
});
