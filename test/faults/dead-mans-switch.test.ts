import {existsSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {SupervisorOptions} from '../../lib/index.js';
import {isPopulated} from '../../lib/os/cgroup.js';
import {Agent} from '../helpers/agent-client.js';
import {eventually} from '../helpers/eventually.js';
import {findProcesses} from '../helpers/processes.js';
import {cgroupOf, makeStateDir, openSupervisor} from '../helpers/state-dir.js';
import {makeOverdue, readRecord} from '../helpers/state-files.js';

/** Ignores SIGTERM in part, and has left group, session and parents in part. Five processes carry its cookie. */
const escapees = `
	setsid sleep 1000 &
	(sleep 1000 &)
	(setsid bash -c '(trap "" TERM; exec sleep 1000) & exit' &)
	(trap '' TERM; exec sleep 1000) &
	wait; sleep 1000`;
/** Known by its cgroup alone: no session, no cookie, no parent. */
const stranger = '(setsid env -i bash -c "(exec sleep 1000) & exit" &);';

function carriers(processId: string): number[] {
	return findProcesses(`NOHUPD_PROCESS_ID=${processId}`);
}

interface Abandoned {
	readonly processId: string;
	/** The cgroup it has to itself, if it has one. */
	readonly leaf: string | null;
	readonly diedAt: number;
}

/** A command whose agent was killed when this many carried its cookie; right then its time was over. */
async function abandon(
	t: ExecutionContext,
	stateDir: string,
	options: Partial<SupervisorOptions>,
	{command, count}: {command: string; count: number},
): Promise<Abandoned> {
	const agent = await Agent.open(t, stateDir, {gracePeriodMs: 200, ...options});
	const {processId, containment} = await agent.start({command});
	await eventually(() => carriers(processId).length >= count);
	makeOverdue(stateDir, processId);
	await agent.kill();
	const leaf = containment === 'cgroup' ? join(cgroupOf(stateDir), processId) : null;
	return {processId, leaf, diedAt: performance.now()};
}

/** Settles with the milliseconds since the agent's death. */
async function allGone({processId, leaf, diedAt}: Abandoned): Promise<number> {
	await eventually(() => carriers(processId).length === 0 && (leaf === null || !isPopulated(leaf)));
	return performance.now() - diedAt;
}

for (const containment of ['auto', 'session'] as const) {
	test(`25: with the agent dead an overdue tree is ended, whoever escaped; the next agent says timeout, containment ${containment}`, async t => {
		const stateDir = makeStateDir(t);
		const command = containment === 'auto' ? `${stranger} ${escapees}` : escapees;
		const abandoned = await abandon(t, stateDir, {containment}, {command, count: 5});

		const tookMs = await allGone(abandoned);
		// Shims and keeper write what they have to, and leave.
		await eventually(() => findProcesses(stateDir, 'cmdline').length === 0);
		const supervisor = await openSupervisor(t, {stateDir, containment});
		const ended = await supervisor.wait(abandoned.processId);

		t.log(`${Math.round(tookMs)} ms; promised on an idle machine: 10,000 ms`);
		t.true(tookMs < 20_000, `${tookMs} ms`);
		t.like(ended, {status: 'killed', reason: 'timeout', exitCode: 143, signal: 'SIGTERM', leftover: 0});
		await eventually(() => abandoned.leaf === null || !existsSync(abandoned.leaf));
	});

	test(`25: with the agent dead leftovers fall to the timeout; the end of their leader stays, containment ${containment}`, async t => {
		const stateDir = makeStateDir(t);
		const ignoring = `(trap '' TERM; exec setsid sleep 1000) & sleep 1000 &`;
		const command = `${containment === 'auto' ? stranger : ''} ${ignoring} exit 3`;
		const abandoned = await abandon(t, stateDir, {containment}, {command, count: 2});

		await allGone(abandoned);
		await eventually(() => findProcesses(stateDir, 'cmdline').length === 0);
		const supervisor = await openSupervisor(t, {stateDir, containment});
		const ended = await eventually(
			() => supervisor.get(abandoned.processId),
			({leftover}) => leftover === 0,
		);

		t.like(ended, {status: 'failed', reason: 'exited', exitCode: 3});
		await eventually(() => abandoned.leaf === null || !existsSync(abandoned.leaf));
	});

	test(`25: an agent that comes back between SIGTERM and SIGKILL finishes what was begun, containment ${containment}`, async t => {
		const stateDir = makeStateDir(t);
		const options = {containment, gracePeriodMs: 60_000};
		const command = `trap 'echo asked' TERM; sleep 1000 & while :; do wait; done`;
		const {processId} = await abandon(t, stateDir, options, {command, count: 2});
		await eventually(() => /^K/m.test(readRecord(stateDir, processId)));

		const supervisor = await openSupervisor(t, {stateDir, ...options});
		const meanwhile = await supervisor.get(processId);
		const killed = await supervisor.kill(processId, {gracePeriodMs: 0});

		t.like(meanwhile, {status: 'running', stopping: 'timeout'});
		t.like(killed, {status: 'killed', reason: 'timeout', exitCode: 137});
		t.is((await supervisor.get(processId)).stdout, 'asked\n');
		t.deepEqual(carriers(processId), []);
	});
}
