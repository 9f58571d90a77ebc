import {existsSync, readdirSync, rmdirSync} from 'node:fs';
import {basename, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {ExecutionContext} from 'ava';
import {Agent} from '../helpers/agent-client.js';
import {testWithCgroup} from '../helpers/cgroups.js';
import {eventually} from '../helpers/eventually.js';
import {makeGate} from '../helpers/gate.js';
import {cgroupOf, killAll, makeStateDir, openSupervisor} from '../helpers/state-dir.js';

const selfKilling = fileURLToPath(new URL('self-killing-agent.js', import.meta.url));

/** Names of the cgroups that a state directory has; none where it has not even one for itself. */
function leavesOf(stateDir: string): string[] {
	try {
		return readdirSync(cgroupOf(stateDir), {withFileTypes: true})
			.filter(entry => entry.isDirectory())
			.map(({name}) => name);
	} catch {
		// ENOENT: it was removed.
		return [];
	}
}

async function hasLeaves(t: ExecutionContext, stateDir: string, expected: readonly string[]): Promise<void> {
	const found = await eventually(
		() => leavesOf(stateDir),
		({length}) => length === expected.length,
	);
	t.deepEqual(found.toSorted(), expected.toSorted());
}

testWithCgroup('of what has ended no cgroup is left, also right after the close', async t => {
	const stateDir = makeStateDir(t);
	const supervisor = await openSupervisor(t, {stateDir});
	const {processId, containment} = await supervisor.start({command: 'true'});
	await supervisor.wait(processId);

	await supervisor.close();

	t.is(containment, 'cgroup');
	t.false(existsSync(cgroupOf(stateDir)));
});

testWithCgroup('a command that makes cgroups of its own leaves none', async t => {
	const supervisor = await openSupervisor(t);
	// It finds itself as the agent does.
	const inOwn = `cd ${cgroupOf(supervisor.stateDir)}/$NOHUPD_PROCESS_ID`;
	const {processId} = await supervisor.start({
		command: `${inOwn}; mkdir -p a/b c; setsid sleep 1000 & echo $! >a/b/cgroup.procs; echo ready; wait`,
	});
	await eventually(async () => (await supervisor.get(processId)).stdout === 'ready\n');

	const {leftover, status} = await supervisor.kill(processId, {gracePeriodMs: 0});

	t.deepEqual([leftover, status], [0, 'killed']);
	await hasLeaves(t, supervisor.stateDir, []);
});

testWithCgroup('whatever moment the agent is killed at, only what runs has a cgroup after the restart', async t => {
	const stateDir = makeStateDir(t);
	const gate = makeGate(stateDir);
	for (let round = 0; round < 5; round++) {
		const agent = await Agent.open(t, stateDir);
		let answers = 0;
		for (let count = 0; count < 6; count++) {
			const command = ['true', 'sleep 1000 & exit 0', gate.wait][count % 3] ?? '';
			void agent.start({command, leftover: 'kill', timeoutMs: 0}).then(({processId}) => {
				answers++;
				if (count === 5) {
					void agent.killProcess(processId);
				}
			});
		}

		await eventually(() => answers >= round);
		await agent.kill();
	}

	const supervisor = await openSupervisor(t, {stateDir});
	const hasSettled = async () => {
		const {processes} = await supervisor.list({tailBytes: 0});
		return processes.filter(
			({status, stopping, leftover}) => status === 'running' && stopping === null && leftover === 0,
		);
	};
	const waits = await eventually(hasSettled, running => running.every(({command}) => command === gate.wait));
	await hasLeaves(
		t,
		stateDir,
		waits.map(({processId}) => processId),
	);

	gate.open();
	await Promise.all(waits.map(({processId}) => supervisor.wait(processId)));
	await hasLeaves(t, stateDir, []);
	await supervisor.close();
	t.false(existsSync(cgroupOf(stateDir)));
});

testWithCgroup('a cgroup that was made for a command which was never accepted is removed', async t => {
	const stateDir = makeStateDir(t);
	const agent = await Agent.open(t, stateDir, {}, {script: selfKilling, env: {DIES: 'before the row was committed'}});
	void agent.start({command: 'true'});
	await agent.gone();
	t.is(leavesOf(stateDir).length, 1);

	await openSupervisor(t, {stateDir});

	await hasLeaves(t, stateDir, []);
});

testWithCgroup('what waited in the queue runs in a cgroup also where a reboot took the one it had', async t => {
	const stateDir = makeStateDir(t);
	const agent = await Agent.open(t, stateDir, {maxRunning: 1});
	const blocker = await agent.start({command: 'sleep 1000'});
	const {processId} = await agent.start({command: 'grep ^0:: /proc/self/cgroup'});
	await agent.kill();
	rmdirSync(join(cgroupOf(stateDir), processId));

	const supervisor = await openSupervisor(t, {stateDir, maxRunning: 1});
	await supervisor.kill(blocker.processId);
	await supervisor.wait(processId);

	const {status, stdout} = await supervisor.get(processId);
	t.deepEqual([status, basename(stdout.trim())], ['completed', processId]);
});

testWithCgroup(
	'what was started in cgroups is still found, ended and cleared away by a supervisor without',
	async t => {
		const stateDir = makeStateDir(t);
		const agent = await Agent.open(t, stateDir);
		const {processId} = await agent.start({command: '(setsid env -i sleep 1000 &); sleep 1000', timeoutMs: 0});
		await eventually(async () => (await agent.get(processId)).pid !== null);
		await agent.kill();

		const supervisor = await openSupervisor(t, {stateDir, containment: 'session'});
		const {containment} = supervisor.state();
		const before = await supervisor.get(processId);
		await killAll(supervisor);

		t.deepEqual([containment, before.containment], ['session', 'cgroup']);
		await hasLeaves(t, stateDir, []);
	},
);
