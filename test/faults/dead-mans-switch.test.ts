import {existsSync, readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {Process, SupervisorOptions} from '../../lib/index.js';
import {isPopulated} from '../../lib/os/cgroup.js';
import {Agent} from '../helpers/agent-client.js';
import {eventually} from '../helpers/eventually.js';
import {makeGate} from '../helpers/gate.js';
import {findProcesses} from '../helpers/processes.js';
import {cgroupOf, makeStateDir, openSupervisor} from '../helpers/state-dir.js';
import {endGrace, makeOverdue, readRecord} from '../helpers/state-files.js';

/** Ignores SIGTERM in part, and has left group, session and parents in part. Five processes carry its cookie. */
const escapees = `
	setsid sleep 1000 &
	(sleep 1000 &)
	(setsid bash -c '(trap "" TERM; exec sleep 1000) & exit' &)
	(trap '' TERM; exec sleep 1000) &
	wait; sleep 1000`;
/** Known by its cgroup alone: no session, no cookie, no parent. */
const stranger = '(setsid env -i bash -c "(exec sleep 1000) & exit" &);';

/** Ends by SIGKILL alone; says how often it was asked. */
const deaf = `trap 'echo asked' TERM; echo ready; while :; do read -t 60 <> <(:); done`;

function carriers(processId: string): number[] {
	return findProcesses(`NOHUPD_PROCESS_ID=${processId}`);
}

function readOutput(stateDir: string, processId: string): string {
	return readFileSync(join(stateDir, 'runs', processId, 'stdout'), 'utf8');
}

/** The cgroup that a process has to itself, where cgroups can be made. */
function leafOf(stateDir: string, processId: string): string | null {
	const leaf = join(cgroupOf(stateDir), processId);
	return existsSync(leaf) ? leaf : null;
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
	const {processId} = await agent.start({command});
	await eventually(() => carriers(processId).length >= count);
	makeOverdue(stateDir, processId);
	await agent.kill();
	return {processId, leaf: leafOf(stateDir, processId), diedAt: performance.now()};
}

interface Held {
	readonly agent: Agent;
	readonly processId: string;
	readonly leaf: string | null;
}

/** A command without a timeout; this many carry its cookie. */
async function hold(
	t: ExecutionContext,
	stateDir: string,
	options: Partial<SupervisorOptions>,
	{command, count}: {command: string; count: number},
): Promise<Held> {
	const agent = await Agent.open(t, stateDir, options);
	const {processId} = await agent.start({command, timeoutMs: 0});
	await eventually(() => carriers(processId).length >= count);
	return {agent, processId, leaf: leafOf(stateDir, processId)};
}

/** A kill that nobody will hear the answer of. Settles when SIGTERM was sent. */
async function beginKill(stateDir: string, {agent, processId}: Held, gracePeriodMs: number): Promise<void> {
	agent.killProcess(processId, {gracePeriodMs}).catch(() => undefined);
	await eventually(() => /^R/m.test(readRecord(stateDir, processId)));
}

function isGone({processId, leaf}: Pick<Held, 'processId' | 'leaf'>): boolean {
	return carriers(processId).length === 0 && (leaf === null || !isPopulated(leaf));
}

/** Its shim and the keeper write what they have to, and leave. */
async function nobodyLeft(stateDir: string, held: Pick<Held, 'processId' | 'leaf'>): Promise<void> {
	await eventually(() => isGone(held));
	await eventually(() => findProcesses(stateDir, 'cmdline').length === 0);
}

/** What the next agent says. */
async function told(t: ExecutionContext, options: Partial<SupervisorOptions>, processId: string): Promise<Process> {
	const supervisor = await openSupervisor(t, options);
	await supervisor.wait(processId);
	return eventually(
		() => supervisor.get(processId),
		({leftover}) => leftover === 0,
	);
}

/** Settles with the milliseconds since the agent's death. */
async function allGone(abandoned: Abandoned): Promise<number> {
	await eventually(() => isGone(abandoned));
	return performance.now() - abandoned.diedAt;
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

	test(`24: a kill whose agent was killed is finished while no agent lives, whoever escaped, containment ${containment}`, async t => {
		const stateDir = makeStateDir(t);
		const command = containment === 'auto' ? `${stranger} ${escapees}` : escapees;
		const held = await hold(t, stateDir, {containment}, {command, count: 5});
		await beginKill(stateDir, held, 60_000);
		await held.agent.kill();
		endGrace(stateDir, held.processId);

		await nobodyLeft(stateDir, held);

		t.like(await told(t, {stateDir, containment}, held.processId), {
			status: 'killed',
			reason: 'request',
			exitCode: 143,
			leftover: 0,
		});
	});

	test(`24: a kill of what has ended and left something behind is finished while no agent lives, containment ${containment}`, async t => {
		const stateDir = makeStateDir(t);
		const command = `(trap '' TERM; exec setsid sleep 1000) & (trap '' TERM; exec sleep 1000) & exit 3`;
		const held = await hold(t, stateDir, {containment}, {command, count: 2});
		await held.agent.wait(held.processId);
		await beginKill(stateDir, held, 60_000);
		await held.agent.kill();
		endGrace(stateDir, held.processId);

		await nobodyLeft(stateDir, held);

		t.like(await told(t, {stateDir, containment}, held.processId), {status: 'failed', reason: 'exited', exitCode: 3});
	});

	test(`12: with leftover "kill" nothing outlives a command that ends while no agent lives, containment ${containment}`, async t => {
		const stateDir = makeStateDir(t);
		const gate = makeGate(stateDir);
		const agent = await Agent.open(t, stateDir, {containment});
		const command = `(trap '' TERM; exec setsid sleep 1000) & sleep 1000 & ${gate.wait}; exit 3`;
		const {processId} = await agent.start({command, timeoutMs: 0, leftover: 'kill'});
		await eventually(() => carriers(processId).length >= 3);
		await agent.kill();
		const leaf = leafOf(stateDir, processId);

		gate.open();
		await nobodyLeft(stateDir, {processId, leaf});

		t.like(await told(t, {stateDir, containment}, processId), {status: 'failed', reason: 'exited', exitCode: 3});
	});
}

test('24: a kill whose agent is closed is finished all the same, and that is what its caller is told', async t => {
	const stateDir = makeStateDir(t);
	const held = await hold(t, stateDir, {}, {command: deaf, count: 1});
	const refused = t.throwsAsync(held.agent.killProcess(held.processId, {gracePeriodMs: 60_000}), {
		message: /the kill is stored and will be finished$/,
	});
	await eventually(() => /^R/m.test(readRecord(stateDir, held.processId)));
	await held.agent.close();
	await refused;
	await held.agent.kill();
	endGrace(stateDir, held.processId);

	await nobodyLeft(stateDir, held);

	t.like(await told(t, {stateDir}, held.processId), {status: 'killed', reason: 'request', exitCode: 137, leftover: 0});
});

test('24: while no agent lives the most impatient of several kills counts', async t => {
	const stateDir = makeStateDir(t);
	const held = await hold(t, stateDir, {}, {command: deaf, count: 1});
	await beginKill(stateDir, held, 60_000);
	const before = readRecord(stateDir, held.processId);
	void held.agent.killProcess(held.processId, {gracePeriodMs: 1500});
	await eventually(() => readRecord(stateDir, held.processId) !== before);
	await held.agent.kill();

	await nobodyLeft(stateDir, held);

	t.like(await told(t, {stateDir}, held.processId), {reason: 'request', exitCode: 137});
});

test('24: a kill that was not yet signalled when its agent died begins with one SIGTERM, also with no agent alive', async t => {
	const stateDir = makeStateDir(t);
	const options = {gracePeriodMs: 60_000};
	const agent = await Agent.open(t, stateDir, options, {
		script: new URL('self-killing-agent.js', import.meta.url).pathname,
		env: {DIES: 'before SIGTERM'},
	});
	const {processId} = await agent.start({command: deaf, timeoutMs: 0});
	await eventually(async () => (await agent.get(processId)).stdout === 'ready\n');
	void agent.killProcess(processId);
	await agent.gone();
	await eventually(() => readOutput(stateDir, processId) === 'ready\nasked\n');

	const supervisor = await openSupervisor(t, {stateDir, ...options});
	const meanwhile = await supervisor.get(processId);
	const killed = await supervisor.kill(processId, {gracePeriodMs: 0});

	t.like(meanwhile, {status: 'running', stopping: 'request'});
	t.like(killed, {status: 'killed', reason: 'request', exitCode: 137});
	t.is((await supervisor.get(processId)).stdout, 'ready\nasked\n');
});

test('24: the next agent goes on with a kill of what was left behind', async t => {
	const stateDir = makeStateDir(t);
	const command = `(trap 'echo asked' TERM; echo ready; while :; do sleep 0.1; done) & exit 3`;
	const held = await hold(t, stateDir, {}, {command, count: 1});
	await eventually(async () => (await held.agent.get(held.processId)).leftover > 0);
	await eventually(() => readOutput(stateDir, held.processId) === 'ready\n');
	await beginKill(stateDir, held, 3000);
	await held.agent.kill();

	const ended = await told(t, {stateDir}, held.processId);

	t.like(ended, {status: 'failed', reason: 'exited', exitCode: 3});
	t.deepEqual(carriers(held.processId), []);
	t.is(readOutput(stateDir, held.processId), 'ready\nasked\n');
});

test('33: a kill is gone on with though the database was lost', async t => {
	const stateDir = makeStateDir(t);
	const held = await hold(t, stateDir, {}, {command: deaf, count: 1});
	await beginKill(stateDir, held, 60_000);
	await held.agent.kill();
	for (const suffix of ['', '-wal', '-shm']) {
		rmSync(join(stateDir, `nohupd.db${suffix}`), {force: true});
	}

	const supervisor = await openSupervisor(t, {stateDir});
	const meanwhile = await supervisor.get(held.processId);
	const ended = await supervisor.kill(held.processId, {gracePeriodMs: 0});

	t.like(meanwhile, {status: 'running', stopping: 'request'});
	t.like(ended, {status: 'killed', reason: 'request', exitCode: 137});
});
