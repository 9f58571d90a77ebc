import {mkdirSync, rmSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {IdempotencyConflictError} from '../../lib/index.js';
import {Agent} from '../helpers/agent-client.js';
import {makeStateDir, openSupervisor} from '../helpers/state-dir.js';
import {besides, readLines} from '../helpers/state-files.js';

const script = fileURLToPath(new URL('self-killing-agent.js', import.meta.url));

test('2: a retry with the same key after a crash gives the first process, though its answer was lost', async t => {
	const stateDir = makeStateDir(t);
	const runs = besides(stateDir, 'runs');
	const command = {command: `echo ran >>'${runs}'`};
	const agent = await Agent.open(t, stateDir, {}, {script, env: {DIES: 'before the answer'}});
	void agent.start(command, {idempotencyKey: 'once'});
	await agent.gone();

	const supervisor = await openSupervisor(t, {stateDir});
	const [{processId} = {processId: ''}] = (await supervisor.list()).processes;
	const retried = await supervisor.start(command, {idempotencyKey: 'once'});
	await supervisor.wait(processId);

	t.is(retried.processId, processId);
	t.deepEqual(readLines(runs), ['ran']);
});

test('2: a retry gives the first process, even when its directory is gone by then', async t => {
	const supervisor = await openSupervisor(t);
	const workingDir = besides(supervisor.stateDir, 'work');
	mkdirSync(workingDir);
	const first = await supervisor.start({command: 'true', workingDir}, {idempotencyKey: 'once'});
	rmSync(workingDir, {recursive: true});

	const retried = await supervisor.start({command: 'true', workingDir}, {idempotencyKey: 'once'});

	t.is(retried.processId, first.processId);
});

test('2: the same key with another command is refused, and nothing is stored', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: 'true'}, {idempotencyKey: 'once'});

	const error = await t.throwsAsync(supervisor.start({command: 'false'}, {idempotencyKey: 'once'}), {
		instanceOf: IdempotencyConflictError,
	});

	t.is(error.processId, processId);
	t.is((await supervisor.list()).processes.length, 1);
});

test('2: ten starts at once with one key make one process', async t => {
	const supervisor = await openSupervisor(t);
	const runs = besides(supervisor.stateDir, 'runs');
	const command = {command: `echo ran >>'${runs}'`};

	const started = await Promise.all(
		Array.from({length: 10}, () => supervisor.start(command, {idempotencyKey: 'once'})),
	);
	await Promise.all(started.map(({processId}) => supervisor.wait(processId)));

	t.is(new Set(started.map(({processId}) => processId)).size, 1);
	t.deepEqual(readLines(runs), ['ran']);
});
