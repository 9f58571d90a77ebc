import test from 'ava';
import type {ProcessWithOutput} from '../../lib/index.js';
import {Agent} from '../helpers/agent-client.js';
import {eventually} from '../helpers/eventually.js';
import {makeGate} from '../helpers/gate.js';
import {findProcesses, isAlive} from '../helpers/processes.js';
import {makeStateDir, openSupervisor} from '../helpers/state-dir.js';
import {readRecord} from '../helpers/state-files.js';

/** Far above what it takes, and far below what it would take if the promise broke; machines are busy. */
const patienceMs = 10_000;

/** Says last of all when it ends, in milliseconds since 1970. */
const sayWhen = 'date +%s%3N';

/** How far the time of its end is from what the command said itself. */
function endErrorMs({stdout, endedAt}: ProcessWithOutput): number {
	return Math.abs(Number(endedAt) - Number(stdout.trimEnd().split('\n').at(-1)));
}

function hasEnded(stateDir: string, processId: string): boolean {
	return /^E/m.test(readRecord(stateDir, processId));
}

test('10: a command goes on when its agent is killed; the next one shows it running, and its true end later', async t => {
	const stateDir = makeStateDir(t);
	const gate = makeGate(stateDir);
	const agent = await Agent.open(t, stateDir);
	const started = await agent.start({
		command: `echo before; ${gate.wait}; echo after; ${sayWhen}; exit 9`,
		name: 'long',
	});
	await eventually(async () => (await agent.get(started.processId)).stdout === 'before\n');

	await agent.kill();
	const isStillAlive = isAlive(Number(started.pid));
	const supervisor = await openSupervisor(t, {stateDir});
	const meanwhile = await supervisor.get(started.processId);
	gate.open();
	await supervisor.wait(started.processId);
	const ended = await supervisor.get(started.processId);

	t.true(isStillAlive);
	const {durationMs, ...same} = started;
	t.is(durationMs, null);
	t.true(Number(meanwhile.durationMs) > 0);
	t.like(meanwhile, {...same, stdout: 'before\n'});
	t.like(ended, {status: 'failed', reason: 'exited', exitCode: 9, signal: null, startedAt: started.startedAt});
	t.regex(ended.stdout, /^before\nafter\n\d+\n$/);
	t.true(endErrorMs(ended) < patienceMs);
});

test('10: of a command that ended while no agent lived, exit code, output and time of the end are kept', async t => {
	const stateDir = makeStateDir(t);
	const gate = makeGate(stateDir);
	const agent = await Agent.open(t, stateDir);
	const {processId} = await agent.start({command: `${gate.wait}; echo out; echo err >&2; ${sayWhen}; exit 9`});

	await agent.kill();
	gate.open();
	await eventually(() => hasEnded(stateDir, processId));
	const endedBefore = Date.now();
	await eventually(() => Date.now() > endedBefore + 1500);
	const supervisor = await openSupervisor(t, {stateDir});
	const ended = await supervisor.get(processId);

	t.like(ended, {status: 'failed', reason: 'exited', exitCode: 9, stderr: 'err\n'});
	t.regex(ended.stdout, /^out\n\d+\n$/);
	t.true(endErrorMs(ended) < patienceMs);
	t.true(Number(ended.endedAt) <= endedBefore);
	t.true(Math.abs(Number(ended.durationMs) - (Number(ended.endedAt) - Number(ended.startedAt))) < 100);
});

test('10: of 20 commands none is lost over a killed agent: output, exit code and time of the end are all right', async t => {
	const stateDir = makeStateDir(t);
	const gates = {killed: makeGate(stateDir, 'killed'), back: makeGate(stateDir, 'back')};
	const numbers = Array.from({length: 20}, (_, index) => index + 1);
	// A third ends under the first agent, a third while none lives, a third under the second.
	const waits = numbers.map(number => [':', gates.killed.wait, gates.back.wait][number % 3]);
	const linesOf = (number: number) =>
		Array.from({length: number * 10}, (_, index) => `${number}:${index + 1}\n`).join('');
	const agent = await Agent.open(t, stateDir);
	const ids = await Promise.all(
		numbers.map(async (number, index) => {
			const command = `for i in {1..${number * 10}}; do echo ${number}:$i; done; ${waits[index]}; ${sayWhen}; exit ${number}`;
			const {processId} = await agent.start({command, name: `number ${number}`});
			return processId;
		}),
	);
	const endingIn = (group: number) => ids.filter((_, index) => (index + 1) % 3 === group);
	await Promise.all(endingIn(0).map(processId => agent.wait(processId)));

	await agent.kill();
	gates.killed.open();
	await eventually(() => endingIn(1).every(processId => hasEnded(stateDir, processId)));
	const endedBefore = Date.now();
	await eventually(() => Date.now() > endedBefore + 1200);
	const supervisor = await openSupervisor(t, {stateDir});
	const running = await supervisor.list({status: 'running'});
	gates.back.open();
	await Promise.all(ids.map(processId => supervisor.wait(processId)));
	const {processes} = await supervisor.list({tailBytes: 65_536});

	t.deepEqual(running.processes.map(({processId}) => processId).sort(), endingIn(2).sort());
	t.deepEqual(processes.map(({processId}) => processId).sort(), ids.toSorted());
	for (const {name, exitCode, status, reason, stdout} of processes) {
		const number = Number(name?.split(' ')[1]);
		t.deepEqual({exitCode, status, reason}, {exitCode: number, status: 'failed', reason: 'exited'});
		t.is(stdout.replace(/\d+\n$/, ''), linesOf(number));
	}

	t.true(Math.max(...processes.map(endErrorMs)) < patienceMs);
	t.true(
		processes
			.filter(({processId}) => endingIn(1).includes(processId))
			.every(({endedAt}) => Number(endedAt) <= endedBefore),
	);
});

test('10: ten killed agents in a row change nothing for the commands that run', async t => {
	const stateDir = makeStateDir(t);
	const gate = makeGate(stateDir);
	const ids: string[] = [];
	for (let round = 1; round <= 10; round++) {
		const agent = await Agent.open(t, stateDir);
		const {processId} = await agent.start({command: `${gate.wait}; echo ${round}; exit ${round}`});
		ids.push(processId);
		await agent.kill();
	}

	const supervisor = await openSupervisor(t, {stateDir});
	const running = await supervisor.list({status: 'running'});
	gate.open();
	await Promise.all(ids.map(processId => supervisor.wait(processId)));
	const ended = await Promise.all(ids.map(processId => supervisor.get(processId)));

	t.is(running.processes.length, 10);
	t.deepEqual(
		ended.map(({exitCode, stdout}) => `${exitCode}: ${stdout}`),
		ids.map((_, index) => `${index + 1}: ${index + 1}\n`),
	);
});

test('10: there is one keeper, however many agents were killed before', async t => {
	const stateDir = makeStateDir(t);
	const gate = makeGate(stateDir);
	for (let round = 0; round < 3; round++) {
		const agent = await Agent.open(t, stateDir);
		await agent.start({command: gate.wait, timeoutMs: 60_000});
		await agent.kill();
	}

	const supervisor = await openSupervisor(t, {stateDir});

	// Three shims, and the one that is in charge.
	await t.notThrowsAsync(eventually(() => findProcesses(`${stateDir}\0`, 'cmdline').length === 4));
	gate.open();
	await eventually(async () => (await supervisor.list({status: 'running'})).processes.length === 0);
});
