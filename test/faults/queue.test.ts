import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {QueueFullError} from '../../lib/index.js';
import {Agent} from '../helpers/agent-client.js';
import {eventually} from '../helpers/eventually.js';
import {makeGate} from '../helpers/gate.js';
import {makeStateDir, openSupervisor} from '../helpers/state-dir.js';
import {besides, readLines} from '../helpers/state-files.js';

test('9: at the limit commands are queued, and run first in, first out', async t => {
	const supervisor = await openSupervisor(t, {maxRunning: 2});
	const gate = makeGate(supervisor.stateDir);
	const order = besides(supervisor.stateDir, 'order');
	const blockers = [await supervisor.start({command: gate.wait}), await supervisor.start({command: 'sleep 60'})];
	const queued = [];
	for (const name of ['a', 'b', 'c', 'd']) {
		queued.push(await supervisor.start({command: `echo ${name} >>'${order}'`, name}));
	}

	const atFirst = supervisor.state();
	gate.open();
	await Promise.all(queued.map(({processId}) => supervisor.wait(processId)));

	t.deepEqual(
		[...blockers, ...queued].map(({status}) => status),
		['running', 'running', 'queued', 'queued', 'queued', 'queued'],
	);
	t.like(atFirst, {running: 2, queued: 4, isClosing: false});
	t.deepEqual(readLines(order), ['a', 'b', 'c', 'd']);
});

test('9: never more run at once than may', async t => {
	const supervisor = await openSupervisor(t, {maxRunning: 3});
	const noted = besides(supervisor.stateDir, 'noted');
	const command = `echo + >>'${noted}'; sleep 0.0$((RANDOM % 5)); echo - >>'${noted}'`;

	const started = await Promise.all(Array.from({length: 30}, () => supervisor.start({command})));
	await Promise.all(started.map(({processId}) => supervisor.wait(processId)));

	let running = 0;
	const counts = readLines(noted).map(sign => (running += sign === '+' ? 1 : -1));
	t.is(counts.length, 60);
	t.true(Math.max(...counts) <= 3);
});

test('9: a queued command that is killed never runs, and those behind it do', async t => {
	const supervisor = await openSupervisor(t, {maxRunning: 1});
	const gate = makeGate(supervisor.stateDir);
	const order = besides(supervisor.stateDir, 'order');
	await supervisor.start({command: gate.wait});
	const victim = await supervisor.start({command: `echo victim >>'${order}'`});
	const last = await supervisor.start({command: `echo last >>'${order}'`});

	const killed = await supervisor.kill(victim.processId);
	gate.open();
	await supervisor.wait(last.processId);

	t.like(killed, {status: 'killed', reason: 'request', exitCode: null, startedAt: null, pid: null});
	t.deepEqual(readLines(order), ['last']);
});

test('9: a timeout begins when the command runs, not when it is queued', async t => {
	const supervisor = await openSupervisor(t, {maxRunning: 1});
	const gate = makeGate(supervisor.stateDir);
	await supervisor.start({command: gate.wait});
	const {processId, createdAt} = await supervisor.start({command: 'sleep 0.2; echo done', timeoutMs: 1000});

	await eventually(() => Date.now() > createdAt + 1200);
	gate.open();
	await supervisor.wait(processId);

	t.like(await supervisor.get(processId), {status: 'completed', stdout: 'done\n'});
});

test('9: the queue survives the death of the agent, in its order', async t => {
	const stateDir = makeStateDir(t);
	const gate = makeGate(stateDir);
	const order = besides(stateDir, 'order');
	const agent = await Agent.open(t, stateDir, {maxRunning: 1});
	await agent.start({command: `${gate.wait}; echo first >>'${order}'`});
	for (const name of ['a', 'b', 'c', 'd', 'e']) {
		await agent.start({command: `echo ${name} >>'${order}'`, name});
	}

	await agent.kill();
	const supervisor = await openSupervisor(t, {stateDir, maxRunning: 1});
	const {processes} = await supervisor.list({status: 'queued'});
	const state = supervisor.state();
	gate.open();
	await Promise.all(processes.map(({processId}) => supervisor.wait(processId)));

	t.deepEqual(
		processes.map(({name}) => name),
		['e', 'd', 'c', 'b', 'a'],
	);
	t.like(state, {running: 1, queued: 5, isClosing: false});
	t.deepEqual(readLines(order), ['first', 'a', 'b', 'c', 'd', 'e']);
});

test('9: the queue moves on after a restart when the running command ended while no agent lived', async t => {
	const stateDir = makeStateDir(t);
	const gate = makeGate(stateDir);
	const agent = await Agent.open(t, stateDir, {maxRunning: 1});
	const first = await agent.start({command: gate.wait});
	const second = await agent.start({command: 'echo second'});

	await agent.kill();
	gate.open();
	await eventually(() => /^E/m.test(readLines(join(stateDir, 'records', first.processId)).join('\n')));
	const supervisor = await openSupervisor(t, {stateDir, maxRunning: 1});
	await supervisor.wait(second.processId);

	t.like(await supervisor.get(second.processId), {status: 'completed', stdout: 'second\n'});
});

test('9: a full queue refuses, and nothing is stored', async t => {
	const supervisor = await openSupervisor(t, {maxRunning: 1, maxQueued: 2});
	for (let count = 0; count < 3; count++) {
		await supervisor.start({command: 'sleep 60'});
	}

	const error = await t.throwsAsync(supervisor.start({command: 'true'}), {instanceOf: QueueFullError});

	t.regex(error.message, /1 processes run and 2 wait/);
	t.is((await supervisor.list()).processes.length, 3);
	t.is(readdirSync(join(supervisor.stateDir, 'runs')).length, 3);
	t.is(readdirSync(join(supervisor.stateDir, 'records')).length, 3);
});
