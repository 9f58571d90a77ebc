import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {Clock, Process} from '../../lib/index.js';
import {Agent} from '../helpers/agent-client.js';
import {eventually} from '../helpers/eventually.js';
import {makeGate} from '../helpers/gate.js';
import {findProcesses, isAlive} from '../helpers/processes.js';
import {makeStateDir, openSupervisor} from '../helpers/state-dir.js';
import {keeperPid, readRecord} from '../helpers/state-files.js';
import {wrap} from '../helpers/wrap.js';

const timedOut = {status: 'killed', reason: 'timeout'} as const;
/** A tree of three that only SIGKILL ends, one of them in a session of its own. */
const stubborn = `trap "" TERM; sleep 60 & (setsid sleep 60 &); echo ready; while :; do read -t 60 <> <(:); done`;
const yearMs = 365 * 24 * 60 * 60 * 1000;

function treeOf(processId: string): number[] {
	return findProcesses(`NOHUPD_PROCESS_ID=${processId}`);
}

/** Of the only process there. */
function theRecord(stateDir: string): string {
	return readRecord(stateDir, String(readdirSync(join(stateDir, 'records'))[0]));
}

/** How long it ran beyond what it was allowed, give or take what lies between its first breath and its first note. */
function overdueMs({startedAt, endedAt, timeoutMs}: Process): number {
	return Number(endedAt) - Number(startedAt) - timeoutMs;
}

/** What is promised for an idle machine may take longer on one that is shared: only an end that never comes fails a test. */
const patienceMs = 15_000;

function isBetween(t: ExecutionContext, value: number, from: number, to: number): void {
	t.log(`${Math.round(value)} ms; promised on an idle machine: ${from} to ${to} ms`);
	t.true(value >= from - 100 && value <= to + patienceMs, `${value} is not between ${from} and ${to}`);
}

test.serial('25: a timeout ends a command within half a second of its deadline', async t => {
	const supervisor = await openSupervisor(t);

	const {processId} = await supervisor.start({command: 'sleep', args: ['60'], timeoutMs: 600});
	const ended = await supervisor.wait(processId);

	t.like(ended, {...timedOut, exitCode: 143, signal: 'SIGTERM'});
	isBetween(t, overdueMs(ended), 0, 500);
});

test.serial(
	'25: whoever ignores SIGTERM is gone within half a second of the deadline plus grace, with its tree',
	async t => {
		const supervisor = await openSupervisor(t, {gracePeriodMs: 700});

		const {processId} = await supervisor.start({command: stubborn, timeoutMs: 600});
		const ended = await supervisor.wait(processId);

		t.like(ended, {...timedOut, exitCode: 137, signal: 'SIGKILL'});
		isBetween(t, overdueMs(ended), 700, 1200);
		t.deepEqual(treeOf(processId), []);
	},
);

test('25: with the agent dead the keeper ends the tree within 10 s of deadline plus grace, and the next agent says timeout', async t => {
	const stateDir = makeStateDir(t);
	const agent = await Agent.open(t, stateDir, {gracePeriodMs: 500});
	const {processId} = await agent.start({command: stubborn, timeoutMs: 2000});
	await eventually(async () => (await agent.get(processId)).stdout === 'ready\n');

	await agent.kill();
	await eventually(() => treeOf(processId).length === 0);
	const supervisor = await openSupervisor(t, {stateDir});
	const ended = await supervisor.wait(processId);

	t.like(ended, {...timedOut, exitCode: 137, signal: 'SIGKILL'});
	isBetween(t, overdueMs(ended), 500, 10_500);
});

test('25: with the agent dead a command that obeys SIGTERM at its deadline keeps its exit code, and the reason is timeout', async t => {
	const stateDir = makeStateDir(t);
	const agent = await Agent.open(t, stateDir);
	const {processId} = await agent.start({
		command: 'trap "echo bye; exit 42" TERM; while :; do read -t 60 <> <(:); done',
		timeoutMs: 1000,
	});

	await agent.kill();
	await eventually(() => treeOf(processId).length === 0);
	const supervisor = await openSupervisor(t, {stateDir});
	const ended = await supervisor.wait(processId);

	t.like(ended, {...timedOut, exitCode: 42, signal: null});
	isBetween(t, overdueMs(ended), 0, 10_000);
});

test('25: with the agent dead commands that end in time are not touched, and then the keeper leaves', async t => {
	const stateDir = makeStateDir(t);
	const agent = await Agent.open(t, stateDir);
	const limited = await agent.start({command: 'sleep 1.5; echo done', timeoutMs: 60_000});
	const unlimited = await agent.start({command: 'sleep', args: ['60'], timeoutMs: 0});
	const keeper = await keeperPid(stateDir);

	await agent.kill();
	const stays = isAlive(keeper);
	await eventually(() => !isAlive(keeper));
	const supervisor = await openSupervisor(t, {stateDir});

	t.true(stays);
	t.like(await supervisor.get(limited.processId), {status: 'completed', stdout: 'done\n'});
	t.like(await supervisor.get(unlimited.processId), {status: 'running'});
});

test('25: an agent that is back after the deadline ends the command at once', async t => {
	const stateDir = makeStateDir(t);
	const agent = await Agent.open(t, stateDir);
	const {processId, startedAt} = await agent.start({command: 'sleep', args: ['60'], timeoutMs: 800});
	const keeper = await keeperPid(stateDir);

	// With the keeper dead too nobody holds the deadline.
	process.kill(keeper, 'SIGSTOP');
	await agent.kill();
	process.kill(keeper, 'SIGKILL');
	await eventually(() => Date.now() > Number(startedAt) + 1500);
	const [left] = treeOf(processId);
	const backAt = Date.now();
	const supervisor = await openSupervisor(t, {stateDir});
	const ended = await supervisor.wait(processId);

	t.not(left, undefined);
	t.like(ended, {...timedOut, exitCode: 143, signal: 'SIGTERM'});
	isBetween(t, Number(ended.endedAt) - backAt, 0, 1000);
});

test('25: an agent that is back while the keeper is ending a command finishes that', async t => {
	const stateDir = makeStateDir(t);
	const agent = await Agent.open(t, stateDir, {gracePeriodMs: 60_000});
	const {processId} = await agent.start({command: stubborn, timeoutMs: 800});
	await agent.kill();
	await eventually(() => /^K/m.test(readRecord(stateDir, processId)));

	const supervisor = await openSupervisor(t, {stateDir, gracePeriodMs: 100});
	const ended = await supervisor.wait(processId);

	t.like(ended, {...timedOut, exitCode: 137, signal: 'SIGKILL'});
	t.deepEqual(treeOf(processId), []);
});

test.serial('25: a command that ended in time is not told as timed out, however late the agent looks', async t => {
	const supervisor = await openSupervisor(t);
	const {processId, startedAt} = await supervisor.start({command: 'sleep 0.2; exit 4', timeoutMs: 800});

	// The host is busy until after the deadline.
	while (Date.now() < Number(startedAt) + 1200) {
		Math.sqrt(2);
	}

	t.like(await supervisor.wait(processId), {status: 'failed', reason: 'exited', exitCode: 4});
});

test('25: a timeout is held by the second agent when the first is killed before it', async t => {
	const stateDir = makeStateDir(t);
	const agent = await Agent.open(t, stateDir);
	const {processId} = await agent.start({command: 'sleep', args: ['60'], timeoutMs: 3000});
	await agent.kill();

	const supervisor = await openSupervisor(t, {stateDir});
	const ended = await supervisor.wait(processId);

	t.like(ended, {...timedOut, exitCode: 143});
	isBetween(t, overdueMs(ended), 0, 1000);
});

test('25: with the agent dead also what an earlier keeper started is held to its deadline', async t => {
	const stateDir = makeStateDir(t);
	const agent = await Agent.open(t, stateDir, {gracePeriodMs: 500});
	const {processId} = await agent.start({command: stubborn, timeoutMs: 2500});
	const first = await keeperPid(stateDir);

	process.kill(first, 'SIGKILL');
	await keeperPid(stateDir, first);
	await agent.kill();
	await eventually(() => treeOf(processId).length === 0);
	const supervisor = await openSupervisor(t, {stateDir});

	t.like(await supervisor.wait(processId), timedOut);
});

test('25: with the agent dead also what it handed over in its last moment is held to its deadline', async t => {
	const stateDirs = Array.from({length: 8}, () => makeStateDir(t));
	await Promise.all(
		stateDirs.map(async stateDir => {
			const agent = await Agent.open(t, stateDir);
			const keeper = await keeperPid(stateDir);
			// So it finds the order and the end of its orders at the same time.
			process.kill(keeper, 'SIGSTOP');
			void agent.start({command: 'sleep', args: ['60'], timeoutMs: 1000});
			await eventually(async () => (await agent.list()).processes.length === 1);
			await agent.kill();
			process.kill(keeper, 'SIGCONT');
		}),
	);

	await eventually(() => stateDirs.every(stateDir => /^E 143/m.test(theRecord(stateDir))));

	t.true(stateDirs.every(stateDir => /^K/m.test(theRecord(stateDir))));
});

test('25: a kill and a timeout at once are one end', async t => {
	const supervisor = await openSupervisor(t);
	const {processId, startedAt} = await supervisor.start({command: 'sleep', args: ['60'], timeoutMs: 500});

	await eventually(() => Date.now() > Number(startedAt) + 490);
	const answer = await supervisor.kill(processId);

	t.is(answer.status, 'killed');
	t.deepEqual(await supervisor.wait(processId), answer);
});

test('26: a timeout above 2^31 milliseconds does not end a command', async t => {
	const supervisor = await openSupervisor(t);
	const gate = makeGate(supervisor.stateDir);

	const {processId, startedAt} = await supervisor.start({command: gate.wait, timeoutMs: 2_147_484_000});
	await eventually(() => Date.now() > Number(startedAt) + 1500);
	const meanwhile = await supervisor.get(processId);
	gate.open();

	t.like(meanwhile, {status: 'running', stopping: null, timeoutMs: 2_147_484_000});
	t.like(await supervisor.wait(processId), {status: 'completed'});
});

for (const [direction, jumpMs] of [
	['forward', yearMs],
	['back', -yearMs],
] as const) {
	test.serial(
		`26: with the wall clock set ${direction} a year, deadlines and durations stay right within a second`,
		async t => {
			let offsetMs = 0;
			const clock = (original: Clock) => wrap(original, {now: () => original.now() + offsetMs});
			const supervisor = await openSupervisor(t, {ports: {clock}, gracePeriodMs: 300});
			const overdue = await supervisor.start({command: stubborn, timeoutMs: 1200});
			const short = await supervisor.start({command: 'sleep 1', timeoutMs: 60_000});
			const startedAt = performance.now();

			offsetMs = jumpMs;
			const running = await supervisor.get(overdue.processId);
			const completed = await supervisor.wait(short.processId);
			const killed = await supervisor.wait(overdue.processId);
			const tookMs = performance.now() - startedAt;

			isBetween(t, Number(running.durationMs), 0, 1000);
			t.like(completed, {status: 'completed'});
			isBetween(t, Number(completed.durationMs), 1000, 2000);
			t.like(killed, timedOut);
			isBetween(t, Number(killed.durationMs), 1500, 2500);
			isBetween(t, tookMs, 1500, 2500);
		},
	);
}
