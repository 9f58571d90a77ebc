import {spawn} from 'node:child_process';
import {rmSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import type {Supervisor} from '../../lib/index.js';
import {Agent} from '../helpers/agent-client.js';
import {eventually} from '../helpers/eventually.js';
import {findProcesses, isAlive, killQuietly} from '../helpers/processes.js';
import {makeStateDir, openSupervisor} from '../helpers/state-dir.js';
import {besides, keeperPid, listKept, readLines} from '../helpers/state-files.js';

const keeperScript = fileURLToPath(new URL('../../../lib/keeper/keeper.sh', import.meta.url));
const script = fileURLToPath(new URL('self-killing-agent.js', import.meta.url));

/** Every run leaves a line with the id of its process. */
function noting(stateDir: string): {command: string; runs: () => string[]} {
	const path = besides(stateDir, 'runs');
	return {command: `echo "$NOHUPD_PROCESS_ID" >>'${path}'`, runs: () => readLines(path)};
}

/** Ids of all that were accepted, oldest first, once all have ended well. */
async function allCompleted(t: ExecutionContext, supervisor: Supervisor): Promise<string[]> {
	const {processes} = await supervisor.list();
	const ended = await Promise.all(processes.map(({processId}) => supervisor.wait(processId)));
	t.deepEqual(
		ended.filter(({status}) => status !== 'completed'),
		[],
	);
	return ended.map(({processId}) => processId).reverse();
}

const runsOnce = test.macro(async (t, moment: string) => {
	const stateDir = makeStateDir(t);
	const {command, runs} = noting(stateDir);
	const agent = await Agent.open(t, stateDir, {}, {script, env: {DIES: moment}});
	void agent.start({command});
	t.is(await agent.gone(), 'SIGKILL');

	const supervisor = await openSupervisor(t, {stateDir});
	const accepted = await allCompleted(t, supervisor);

	t.is(accepted.length, 1);
	t.deepEqual(runs(), accepted);
});

for (const moment of [
	'before the keeper heard of it',
	'after the keeper heard of it',
	'after the claim',
	'before the answer',
]) {
	test(`1: an accepted command runs exactly once when the agent is killed ${moment}`, runsOnce, moment);
}

test('1: a command that was not accepted never runs, and its files are gone after the restart', async t => {
	const stateDir = makeStateDir(t);
	const {command, runs} = noting(stateDir);
	const agent = await Agent.open(t, stateDir, {}, {script, env: {DIES: 'before the row was committed'}});
	void agent.start({command});
	await agent.gone();
	t.is(listKept(stateDir).length, 2);

	const supervisor = await openSupervisor(t, {stateDir});
	await eventually(() => listKept(stateDir).length === 0);

	t.deepEqual((await supervisor.list()).processes, []);
	t.deepEqual(runs(), []);
});

test('1: what a frozen keeper had not read runs exactly once after the agent was killed', async t => {
	const stateDir = makeStateDir(t);
	const {command, runs} = noting(stateDir);
	const agent = await Agent.open(t, stateDir);
	process.kill(await keeperPid(stateDir), 'SIGSTOP');
	for (let count = 0; count < 5; count++) {
		void agent.start({command});
	}

	await eventually(async () => (await agent.list()).processes.length === 5);
	await agent.kill();
	t.deepEqual(runs(), []);

	const accepted = await allCompleted(t, await openSupervisor(t, {stateDir}));

	t.is(accepted.length, 5);
	t.deepEqual(runs().sort(), accepted.sort());
});

/** Told of all these at once, by hand; it has not read a word of it yet. */
async function frozenKeeper(t: ExecutionContext, stateDir: string, processIds: readonly string[]): Promise<number> {
	const before = await keeperPid(stateDir);
	const keeper = spawn('bash', ['--noprofile', '--norc', keeperScript, stateDir], {
		detached: true,
		env: {},
		stdio: ['pipe', 'ignore', 'ignore'],
	});
	const pid = keeper.pid ?? 0;
	t.teardown(() => killQuietly(pid));
	await keeperPid(stateDir, before);
	process.kill(pid, 'SIGSTOP');
	keeper.stdin.end(processIds.map(processId => `${processId}\n`).join(''));
	return pid;
}

test('1: of two keepers that were told the same, and come to it at once, each command runs once', async t => {
	const stateDir = makeStateDir(t);
	const {command, runs} = noting(stateDir);
	const agent = await Agent.open(t, stateDir);
	const first = await keeperPid(stateDir);
	t.teardown(() => killQuietly(first));
	process.kill(first, 'SIGSTOP');
	for (let count = 0; count < 20; count++) {
		void agent.start({command});
	}

	const {processes} = await eventually(
		() => agent.list(),
		page => page.processes.length === 20,
	);
	await agent.kill();
	const processIds = processes.map(({processId}) => processId);
	const second = await frozenKeeper(t, stateDir, processIds);
	for (const keeper of [first, second]) {
		process.kill(keeper, 'SIGCONT');
	}

	// With them, all their shims.
	await eventually(() => findProcesses(`${stateDir}\0`, 'cmdline').length === 0);
	const accepted = await allCompleted(t, await openSupervisor(t, {stateDir}));

	t.deepEqual(accepted.sort(), processIds.sort());
	t.deepEqual(runs().sort(), accepted);
});

test('1: a keeper that comes late runs nothing a second time', async t => {
	const stateDir = makeStateDir(t);
	const {command, runs} = noting(stateDir);
	const agent = await Agent.open(t, stateDir);
	const late = await keeperPid(stateDir);
	t.teardown(() => killQuietly(late));
	process.kill(late, 'SIGSTOP');
	for (let count = 0; count < 5; count++) {
		void agent.start({command});
	}

	await eventually(async () => (await agent.list()).processes.length === 5);
	await agent.kill();
	// The next supervisor cannot end a keeper whose name it does not know.
	rmSync(join(stateDir, 'keeper'));
	const accepted = await allCompleted(t, await openSupervisor(t, {stateDir}));
	process.kill(late, 'SIGCONT');
	// What is left is the other keeper: all shims of this one have gone, too.
	await eventually(() => !isAlive(late) && findProcesses(`${stateDir}\0`, 'cmdline').length === 1);

	t.deepEqual(runs().sort(), accepted.sort());
});

test('1: whatever moment the agent is killed at, what it accepted runs once, and nothing else runs', async t => {
	const stateDir = makeStateDir(t);
	const {command, runs} = noting(stateDir);
	const answered: string[] = [];
	for (let round = 0; round < 8; round++) {
		const agent = await Agent.open(t, stateDir);
		let answers = 0;
		for (let count = 0; count < 8; count++) {
			void agent.start({command}).then(({processId}) => {
				answered.push(processId);
				answers++;
			});
		}

		await eventually(() => answers >= round);
		await agent.kill();
	}

	const accepted = await allCompleted(t, await openSupervisor(t, {stateDir}));

	t.deepEqual(runs().sort(), accepted.sort());
	t.deepEqual(
		answered.filter(processId => !accepted.includes(processId)),
		[],
	);
	await eventually(() => listKept(stateDir).length === accepted.length * 2);
});
