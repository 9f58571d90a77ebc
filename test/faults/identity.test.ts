import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync, writeFileSync} from 'node:fs';
import {uptime} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {Agent} from '../helpers/agent-client.js';
import {eventually} from '../helpers/eventually.js';
import {makeGate} from '../helpers/gate.js';
import {findProcesses, isAlive, killQuietly, parentOf} from '../helpers/processes.js';
import {makeStateDir, openSupervisor} from '../helpers/state-dir.js';
import {editDatabase, keeperPid, readRecord} from '../helpers/state-files.js';

const otherBoot = '0badb007';
const reboot = {status: 'failed', reason: 'reboot', exitCode: null, signal: null, durationMs: null} as const;

function rewrite(path: string, change: (content: string) => string): void {
	writeFileSync(path, change(readFileSync(path, 'latin1')), 'latin1');
}

/** Whatever was written in this boot was written in another one. */
function pretendReboot(stateDir: string, processId: string): void {
	const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8);
	editDatabase(stateDir, 'UPDATE processes SET boot_id = ? WHERE boot_id IS NOT NULL', otherBoot);
	for (const path of [join('records', processId), join('runs', processId, 'claim')]) {
		rewrite(join(stateDir, path), content => content.replace(boot, otherBoot));
	}
}

test('16: after a reboot what ran is failed, its exit code unknown, and no signal is sent to whoever has its pid', async t => {
	const stateDir = makeStateDir(t);
	const agent = await Agent.open(t, stateDir);
	const {processId, pid} = await agent.start({command: 'sleep', args: ['60'], timeoutMs: 1000});
	t.teardown(() => killQuietly(Number(pid)));
	await agent.kill();
	pretendReboot(stateDir, processId);

	const supervisor = await openSupervisor(t, {stateDir});
	const ended = await supervisor.get(processId);
	// A second after its deadline, and after several sweeps.
	await eventually(() => Date.now() > Number(ended.startedAt) + 2500);

	t.like(ended, reboot);
	t.true(isAlive(Number(pid)));
	await t.throwsAsync(supervisor.kill(processId), {message: /it ended when the machine was restarted$/});
	t.true(isAlive(Number(pid)));
	killQuietly(Number(pid));
});

test('16: after a reboot a record that was already written wins', async t => {
	const stateDir = makeStateDir(t);
	const gate = makeGate(stateDir);
	const agent = await Agent.open(t, stateDir);
	const {processId} = await agent.start({command: `${gate.wait}; echo out; exit 9`});
	await agent.kill();
	gate.open();
	await eventually(() => /^E/m.test(readRecord(stateDir, processId)));
	pretendReboot(stateDir, processId);

	const supervisor = await openSupervisor(t, {stateDir});

	t.like(await supervisor.get(processId), {status: 'failed', reason: 'exited', exitCode: 9, stdout: 'out\n'});
});

test('16: after a reboot a kill that was under way is over', async t => {
	const stateDir = makeStateDir(t);
	const agent = await Agent.open(t, stateDir);
	const {processId, pid} = await agent.start({command: 'trap "" TERM; read <> <(:)'});
	t.teardown(() => killQuietly(Number(pid)));
	void agent.killProcess(processId, {gracePeriodMs: 60_000});
	await eventually(async () => (await agent.get(processId)).stopping === 'request');
	await agent.kill();
	pretendReboot(stateDir, processId);

	const supervisor = await openSupervisor(t, {stateDir});
	const ended = await supervisor.get(processId);

	t.like(ended, {status: 'killed', reason: 'request', exitCode: null});
	t.true(isAlive(Number(pid)));
	killQuietly(Number(pid));
});

test('16: after a reboot what had been claimed and not yet started is failed, and never runs', async t => {
	const stateDir = makeStateDir(t);
	const agent = await Agent.open(t, stateDir, {maxRunning: 1});
	const blocker = await agent.start({command: 'sleep 60'});
	const {processId} = await agent.start({command: 'echo ran'});
	await agent.kill();
	writeFileSync(join(stateDir, 'runs', processId, 'claim'), `1 1 ${otherBoot}\n`);

	const supervisor = await openSupervisor(t, {stateDir});
	const ended = await supervisor.wait(processId);

	t.like(ended, {...reboot, startedAt: null});
	t.is((await supervisor.get(processId)).stdout, '');
	t.like(await supervisor.get(blocker.processId), {status: 'running'});
});

test('16: what waited in the queue at a reboot runs afterwards', async t => {
	const stateDir = makeStateDir(t);
	const agent = await Agent.open(t, stateDir, {maxRunning: 1});
	const blocker = await agent.start({command: 'sleep', args: ['60']});
	t.teardown(() => killQuietly(Number(blocker.pid)));
	const {processId} = await agent.start({command: 'echo ran'});
	await agent.kill();
	pretendReboot(stateDir, blocker.processId);

	const supervisor = await openSupervisor(t, {stateDir, maxRunning: 1});
	await supervisor.wait(processId);

	t.like(await supervisor.get(processId), {status: 'completed', stdout: 'ran\n'});
	killQuietly(Number(blocker.pid));
});

/** Somebody who has nothing to do with us, with a process group of its own. */
async function aStranger(t: ExecutionContext): Promise<number> {
	const stranger = spawn('sleep', ['60'], {detached: true, stdio: 'ignore'});
	const exited = once(stranger, 'exit');
	t.teardown(async () => {
		stranger.kill('SIGKILL');
		await exited;
	});
	await once(stranger, 'spawn');
	return Number(stranger.pid);
}

/** A timeout of one that began with this boot, in milliseconds: not over while the agent lives, but since the boot. CI may run minutes after it. */
const overSinceLongAgo = Math.min(300_000, Math.floor(uptime() * 500));

/** A process in mid-run whose pid belongs to a stranger by now, and that of its shim too; its agent is dead. */
async function aTakenPid(t: ExecutionContext, timeoutMs: number) {
	const stateDir = makeStateDir(t);
	const stranger = await aStranger(t);
	// In a cgroup there are no strangers: only without one is a number all that we have.
	const agent = await Agent.open(t, stateDir, {gracePeriodMs: 500, containment: 'session'});
	const {processId, pid} = await agent.start({command: 'sleep', args: ['60'], timeoutMs});
	await agent.kill();
	killQuietly(parentOf(Number(pid)));
	killQuietly(Number(pid));
	await eventually(() => !isAlive(Number(pid)));
	editDatabase(stateDir, 'UPDATE processes SET pid = ?, shim_pid = ?, start_ticks = 1', stranger, stranger);
	rewrite(join(stateDir, 'records', processId), content =>
		content.replace(/^S .{7} .{11} .{7}/, () => {
			const shown = String(stranger).padStart(7);
			return `S ${shown} ${'1'.padStart(11)} ${shown}`;
		}),
	);
	return {stateDir, stranger, processId};
}

test('17: a stranger who has the pid now is not signalled when the process is found to be lost', async t => {
	const {stateDir, stranger, processId} = await aTakenPid(t, 0);

	const supervisor = await openSupervisor(t, {stateDir});
	const ended = await supervisor.wait(processId);

	t.like(ended, {status: 'failed', reason: 'lost', exitCode: null});
	t.true(isAlive(stranger));
});

test('17: a stranger who has the pid now is not signalled by a kill', async t => {
	const {stateDir, stranger, processId} = await aTakenPid(t, 0);

	const supervisor = await openSupervisor(t, {stateDir});
	const killed = await supervisor.kill(processId, {gracePeriodMs: 0});

	t.like(killed, {status: 'killed', reason: 'request', exitCode: null});
	t.true(isAlive(stranger));
});

test('17: a stranger who has the pid now is not signalled at the deadline', async t => {
	const {stateDir, stranger, processId} = await aTakenPid(t, overSinceLongAgo);

	const supervisor = await openSupervisor(t, {stateDir, gracePeriodMs: 100});
	const ended = await supervisor.wait(processId);

	t.like(ended, {status: 'killed', reason: 'timeout', exitCode: null});
	t.true(isAlive(stranger));
});

test('17: a stranger who has the pid now is not signalled by a keeper that holds the deadlines alone', async t => {
	const {stateDir, stranger, processId} = await aTakenPid(t, overSinceLongAgo);

	await eventually(() => /^K/m.test(readRecord(stateDir, processId)));
	await eventually(() => findProcesses(`${stateDir}\0`, 'cmdline').length === 0);

	t.true(isAlive(stranger));
});

test('17: a stranger who has the pid of an old keeper is not signalled', async t => {
	const stateDir = makeStateDir(t);
	const stranger = await aStranger(t);
	const first = await openSupervisor(t, {stateDir});
	await keeperPid(stateDir);
	await first.close();
	rewrite(join(stateDir, 'keeper'), content => content.replace(/^\d+ \d+/, `${stranger} 1`));

	const supervisor = await openSupervisor(t, {stateDir});
	const {processId} = await supervisor.start({command: 'true'});

	t.like(await supervisor.wait(processId), {status: 'completed'});
	t.true(isAlive(stranger));
});
