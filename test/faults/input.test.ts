import {statSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {InputBlockedError, InputUnavailableError, type Supervisor} from '../../lib/index.js';
import {Agent} from '../helpers/agent-client.js';
import {eventually} from '../helpers/eventually.js';
import {findProcesses} from '../helpers/processes.js';
import {makeStateDir, openSupervisor} from '../helpers/state-dir.js';

const stdout = async (supervisor: Pick<Supervisor, 'get'>, processId: string) =>
	(await supervisor.get(processId)).stdout;

test('input written before and after a SIGKILL of the agent reaches the command, which sees its end exactly on close', async t => {
	const stateDir = makeStateDir(t);
	const agent = await Agent.open(t, stateDir);
	const {processId} = await agent.start({command: 'cat; echo end', stdin: true});
	await agent.call('write', processId, 'before\n');
	await eventually(async () => (await agent.get(processId)).stdout === 'before\n');

	await agent.kill();
	const supervisor = await openSupervisor(t, {stateDir});
	await supervisor.write(processId, 'after\n');
	await eventually(async () => (await stdout(supervisor, processId)) === 'before\nafter\n');
	const meanwhile = await supervisor.get(processId);
	await supervisor.closeInput(processId);
	const ended = await supervisor.wait(processId);

	t.like(meanwhile, {status: 'running', stdin: true});
	t.like(ended, {status: 'completed', exitCode: 0});
	t.is(await stdout(supervisor, processId), 'before\nafter\nend\n');
});

test('what a killed agent had written and nobody had read yet is not lost', async t => {
	const stateDir = makeStateDir(t);
	const agent = await Agent.open(t, stateDir);
	const {processId} = await agent.start({command: 'read -r go; cat', stdin: true});
	await agent.call('write', processId, 'go\none\n', {close: true});

	await agent.kill();
	const supervisor = await openSupervisor(t, {stateDir});
	await supervisor.wait(processId);

	t.is(await stdout(supervisor, processId), 'one\n');
});

test('written at once with its end: every byte arrives, also more than the pipe holds', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: 'wc -c', stdin: true});

	await supervisor.write(processId, new Uint8Array(3_000_000), {close: true});
	await supervisor.wait(processId);

	t.is((await stdout(supervisor, processId)).trim(), '3000000');
});

test('several writers take their turns, each as a whole, in the order they came', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: 'cat', stdin: true});
	const pieces = ['a', 'b', 'c'].map(letter => letter.repeat(100_000));

	await Promise.all([
		...pieces.map(piece => supervisor.write(processId, piece)),
		supervisor.write(processId, '', {close: true}),
	]);
	await supervisor.wait(processId);

	t.is((await supervisor.get(processId, {tailBytes: 300_000})).stdout, pieces.join(''));
});

test('a command that does not read is told with the bytes it took; nothing is lost, and the event loop is free', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({
		command: 'until [[ -e go ]]; do sleep 0.02; done; wc -c',
		stdin: true,
		workingDir: supervisor.stateDir,
	});

	const error = await t.throwsAsync(supervisor.write(processId, new Uint8Array(200_000), {timeoutMs: 50}), {
		instanceOf: InputBlockedError,
	});
	const {processId: helper} = await supervisor.start({command: 'touch go', workingDir: supervisor.stateDir});
	await supervisor.wait(helper);
	await supervisor.closeInput(processId);
	await supervisor.wait(processId);

	t.like(error, {givenBytes: 200_000});
	t.true(Number(error?.takenBytes) > 0);
	t.is((await stdout(supervisor, processId)).trim(), String(error?.takenBytes));
});

test('no input for one that did not ask, that was closed, that has ended or that closed it itself', async t => {
	const supervisor = await openSupervisor(t);
	const why = async (work: Promise<unknown>) => (await t.throwsAsync(work, {instanceOf: InputUnavailableError}))?.why;
	const plain = await supervisor.start({command: '[[ ! -p /dev/stdin ]] && cat && sleep 60'});
	const closed = await supervisor.start({command: 'cat; sleep 60', stdin: true});
	const deaf = await supervisor.start({command: 'exec 0<&-; echo closed; sleep 60', stdin: true});
	const ended = await supervisor.start({command: 'true', stdin: true});
	await supervisor.closeInput(closed.processId);
	await supervisor.wait(ended.processId);
	await eventually(async () => (await stdout(supervisor, deaf.processId)) === 'closed\n');

	t.is(await why(supervisor.write(plain.processId, 'x')), 'undeclared');
	t.is(await why(supervisor.closeInput(plain.processId)), 'undeclared');
	t.is(await why(supervisor.write(closed.processId, 'x')), 'closed');
	t.is(await why(supervisor.write(deaf.processId, 'x')), 'unread');
	t.is(await why(supervisor.write(ended.processId, 'x')), 'ended');
	await t.notThrowsAsync(supervisor.closeInput(closed.processId));
});

test('a command inherits nothing of its pipe but standard input, and leaves no holder behind', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: 'ls /proc/self/fd; echo "$PPID"; cat', stdin: true});
	const holders = () => findProcesses(supervisor.stateDir, 'cmdline').length;
	const meanwhile = await eventually(holders, count => count === 3);

	await supervisor.closeInput(processId);
	await supervisor.wait(processId);

	// Keeper, shim and holder; then the keeper alone. 3 is what ls itself reads.
	t.is(meanwhile, 3);
	t.is(await eventually(holders, count => count === 1), 1);
	t.regex(await stdout(supervisor, processId), /^0\n1\n2\n3\n\d+\n$/);
	const pipe = statSync(join(supervisor.stateDir, 'runs', processId, 'stdin'));
	t.deepEqual([pipe.isFIFO(), (pipe.mode & 0o777).toString(8)], [true, '600']);
});

test('a kill ends a command that waits for input, and its holder with it', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: 'cat', stdin: true});

	const killed = await supervisor.kill(processId);

	t.like(killed, {status: 'killed'});
	t.is(
		await eventually(
			() => findProcesses(supervisor.stateDir, 'cmdline').length,
			count => count === 1,
		),
		1,
	);
});
