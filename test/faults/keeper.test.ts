import test from 'ava';
import {eventually} from '../helpers/eventually.js';
import {makeGate} from '../helpers/gate.js';
import {isAlive} from '../helpers/processes.js';
import {openSupervisor} from '../helpers/state-dir.js';
import {besides, keeperPid, readLines} from '../helpers/state-files.js';

test('8: when the keeper is killed the next start gets a new one, and running commands are not touched', async t => {
	const supervisor = await openSupervisor(t);
	const {stateDir} = supervisor;
	const gate = makeGate(stateDir);
	const running = await supervisor.start({command: `${gate.wait}; echo done; exit 5`});
	const first = await keeperPid(stateDir);

	process.kill(first, 'SIGKILL');
	const next = await supervisor.start({command: 'echo next'});
	await supervisor.wait(next.processId);
	const second = await keeperPid(stateDir, first);
	const meanwhile = await supervisor.get(running.processId);
	gate.open();
	await supervisor.wait(running.processId);

	t.true(isAlive(second));
	t.like(await supervisor.get(next.processId), {status: 'completed', stdout: 'next\n'});
	t.like(meanwhile, {status: 'running', pid: running.pid});
	t.like(await supervisor.get(running.processId), {status: 'failed', exitCode: 5, stdout: 'done\n'});
});

test('8: what a keeper had been told and not yet done when it was killed runs once', async t => {
	const supervisor = await openSupervisor(t);
	const runs = besides(supervisor.stateDir, 'runs');
	const keeper = await keeperPid(supervisor.stateDir);
	process.kill(keeper, 'SIGSTOP');

	const starting = Array.from({length: 10}, () => supervisor.start({command: `echo "$NOHUPD_PROCESS_ID" >>'${runs}'`}));
	await eventually(async () => (await supervisor.list()).processes.length === 10);
	process.kill(keeper, 'SIGKILL');
	const started = await Promise.all(starting);
	await Promise.all(started.map(({processId}) => supervisor.wait(processId)));

	t.deepEqual(readLines(runs).sort(), started.map(({processId}) => processId).sort());
});

test('8: a keeper that is killed again and again loses nothing and runs nothing twice', async t => {
	const supervisor = await openSupervisor(t);
	const runs = besides(supervisor.stateDir, 'runs');
	const starting = [];
	let keeper = 0;
	for (let round = 0; round < 5; round++) {
		keeper = await keeperPid(supervisor.stateDir, keeper);
		const before = readLines(runs).length;
		for (let count = 0; count < 10; count++) {
			starting.push(supervisor.start({command: `echo "$NOHUPD_PROCESS_ID" >>'${runs}'`}));
		}

		// In the middle of its work: after as many shims as there were rounds.
		await eventually(() => readLines(runs).length >= before + round);
		process.kill(keeper, 'SIGKILL');
	}

	const started = await Promise.all(starting);
	const ended = await Promise.all(started.map(({processId}) => supervisor.wait(processId)));

	t.deepEqual(readLines(runs).sort(), started.map(({processId}) => processId).sort());
	t.true(ended.every(({status}) => status === 'completed'));
});

test('8: a frozen keeper holds nobody up: the start is answered as queued, and the command runs later', async t => {
	const supervisor = await openSupervisor(t);
	const keeper = await keeperPid(supervisor.stateDir);
	process.kill(keeper, 'SIGSTOP');

	const {processId, status} = await supervisor.start({command: 'echo ran'});
	process.kill(keeper, 'SIGCONT');
	await supervisor.wait(processId);

	t.is(status, 'queued');
	t.like(await supervisor.get(processId), {status: 'completed', stdout: 'ran\n'});
});

test('8: a timeout is held for a command whose keeper was killed', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: 'sleep', args: ['60'], timeoutMs: 700});

	process.kill(await keeperPid(supervisor.stateDir), 'SIGKILL');
	const ended = await supervisor.wait(processId);

	t.like(ended, {status: 'killed', reason: 'timeout', signal: 'SIGTERM'});
});

test('8: no keeper stays behind when the supervisor is closed and nothing runs', async t => {
	const supervisor = await openSupervisor(t);
	const keeper = await keeperPid(supervisor.stateDir);

	await supervisor.close();

	await t.notThrowsAsync(eventually(() => !isAlive(keeper)));
});
