import test from 'ava';
import {ProcessEndedError, ProcessNotFoundError, type Supervisor} from '../../lib/index.js';
import {Agent} from '../helpers/agent-client.js';
import {eventually} from '../helpers/eventually.js';
import {makeGate} from '../helpers/gate.js';
import {findProcesses, isAlive, killQuietly} from '../helpers/processes.js';
import {makeStateDir, openSupervisor} from '../helpers/state-dir.js';
import {besides, keeperPid, readLines, readRecord} from '../helpers/state-files.js';

const killed = {status: 'killed', reason: 'request', stopping: null} as const;
/** Ends by SIGKILL alone; says when SIGTERM can no longer end it. */
const stubborn = 'trap "echo asked" TERM; echo ready; until false; do read -t 60 <> <(:); done';

async function isReady(supervisor: Pick<Supervisor, 'get'>, processId: string): Promise<boolean> {
	return (await supervisor.get(processId)).stdout.startsWith('ready\n');
}

function treeOf(processId: string): number[] {
	return findProcesses(`NOHUPD_PROCESS_ID=${processId}`);
}

test('23: a second kill gives the first one’s answer', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: 'sleep', args: ['60']});

	const first = await supervisor.kill(processId);
	const second = await supervisor.kill(processId);

	t.like(first, {...killed, exitCode: 143, signal: 'SIGTERM'});
	t.deepEqual(second, first);
});

test('23: ten kills at once are one: one SIGTERM, one stopping, one end, and the same answer', async t => {
	const supervisor = await openSupervisor(t);
	const events: string[] = [];
	supervisor.on('stopping', () => events.push('stopping'));
	supervisor.on('ended', () => events.push('ended'));
	const {processId} = await supervisor.start({command: stubborn});
	await eventually(() => isReady(supervisor, processId));

	const answers = await Promise.all(Array.from({length: 10}, () => supervisor.kill(processId, {gracePeriodMs: 500})));

	t.like(answers[0], {...killed, exitCode: 137, signal: 'SIGKILL'});
	t.is(new Set(answers.map(answer => JSON.stringify(answer))).size, 1);
	t.deepEqual(events, ['stopping', 'ended']);
	t.is((await supervisor.get(processId)).stdout, 'ready\nasked\n');
	t.deepEqual(treeOf(processId), []);
});

for (const containment of ['auto', 'session'] as const) {
	test(`a shell that is asked to end never goes on to its next command (${containment})`, async t => {
		const supervisor = await openSupervisor(t, {containment});
		// Its first child is asked long before the last.
		const command =
			'sleep 1000 & first=$!; for i in {1..100}; do sleep 1000 & done; echo ready; wait $first; echo went on';
		const outputs = [];

		for (let run = 0; run < 5; run++) {
			const {processId} = await supervisor.start({command});
			await eventually(() => isReady(supervisor, processId));
			await supervisor.kill(processId);
			outputs.push((await supervisor.get(processId)).stdout);
		}

		t.deepEqual(
			outputs,
			Array.from(outputs, () => 'ready\n'),
		);
	});
}

test('23: a later kill may be more impatient than the first, never less', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: stubborn});
	await eventually(() => isReady(supervisor, processId));

	const answers = await Promise.all([
		supervisor.kill(processId, {gracePeriodMs: 60_000}),
		supervisor.kill(processId, {gracePeriodMs: 0}),
		supervisor.kill(processId, {gracePeriodMs: 60_000}),
	]);

	t.like(answers[2], {...killed, signal: 'SIGKILL'});
});

test('23: a kill of an unknown id is refused', async t => {
	const supervisor = await openSupervisor(t);

	await t.throwsAsync(supervisor.kill('proc_unknown'), {
		instanceOf: ProcessNotFoundError,
		message: 'No process with id proc_unknown',
	});
});

test('23: a kill of one that ended by itself is refused, and changes nothing', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: 'exit 4'});
	const ended = await supervisor.wait(processId);

	await t.throwsAsync(supervisor.kill(processId), {instanceOf: ProcessEndedError, message: /^No process with id /});

	t.like(await supervisor.get(processId), {...ended});
});

test('23: a kill of one that has just ended by itself is refused, though nobody has noticed the end yet', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: 'sleep 0.3; exit 4'});

	// The event loop stands still, so no notice of the record gets through.
	let record = '';
	while (!/^E/m.test(record)) {
		record = readRecord(supervisor.stateDir, processId);
	}

	await t.throwsAsync(supervisor.kill(processId), {instanceOf: ProcessEndedError});

	t.like(await supervisor.get(processId), {status: 'failed', reason: 'exited', exitCode: 4});
});

test('23: a command that traps SIGTERM and ends in time keeps its own exit code', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: 'trap "echo bye; exit 42" TERM; echo ready; read <> <(:)'});
	await eventually(() => isReady(supervisor, processId));

	t.like(await supervisor.kill(processId), {...killed, exitCode: 42, signal: null});
	t.is((await supervisor.get(processId)).stdout, 'ready\nbye\n');
});

test('24: an agent that is killed between SIGTERM and SIGKILL has its kill finished by the next one', async t => {
	const stateDir = makeStateDir(t);
	const agent = await Agent.open(t, stateDir);
	const {processId} = await agent.start({command: stubborn});
	await eventually(() => isReady(agent, processId));
	const wantedAt = performance.now();
	void agent.killProcess(processId, {gracePeriodMs: 1500});
	await eventually(async () => (await agent.get(processId)).stdout === 'ready\nasked\n');

	await agent.kill();
	const supervisor = await openSupervisor(t, {stateDir});
	const ended = await supervisor.wait(processId);

	t.like(ended, {...killed, exitCode: 137, signal: 'SIGKILL'});
	t.true(performance.now() - wantedAt > 1400, 'the grace period is kept');
	// Perhaps the first one died before it had noted that SIGTERM was sent.
	t.regex((await supervisor.get(processId)).stdout, /^ready\n(asked\n){1,2}$/);
	t.deepEqual(treeOf(processId), []);
});

test('24: a kill whose grace period ran out while no agent lived is finished at once', async t => {
	const stateDir = makeStateDir(t);
	const agent = await Agent.open(t, stateDir);
	const {processId} = await agent.start({command: `sleep 60 & (setsid sleep 60 &); ${stubborn}`});
	await eventually(() => isReady(agent, processId));
	void agent.killProcess(processId, {gracePeriodMs: 3000});
	// What its record says stays said, however late we look.
	await eventually(() => /^R/m.test(readRecord(stateDir, processId)));
	await agent.kill();
	const diedAt = Date.now();
	await eventually(() => Date.now() > diedAt + 3100);

	const supervisor = await openSupervisor(t, {stateDir});
	const ended = await supervisor.wait(processId);

	t.like(ended, {...killed, exitCode: 137, signal: 'SIGKILL'});
	t.deepEqual(treeOf(processId), []);
});

test('24: a kill that was wanted and not yet signalled is done by the next agent', async t => {
	const stateDir = makeStateDir(t);
	const agent = await Agent.open(
		t,
		stateDir,
		{},
		{script: new URL('self-killing-agent.js', import.meta.url).pathname, env: {DIES: 'before SIGTERM'}},
	);
	const {processId} = await agent.start({command: 'sleep', args: ['60']});
	void agent.killProcess(processId);
	await agent.gone();

	const supervisor = await openSupervisor(t, {stateDir});

	t.like(await supervisor.wait(processId), {...killed, exitCode: 143, signal: 'SIGTERM'});
});

test('24: a kill whose tree ended while no agent lived is told as a kill', async t => {
	const stateDir = makeStateDir(t);
	const gate = makeGate(stateDir);
	const agent = await Agent.open(t, stateDir);
	const {processId} = await agent.start({command: `trap "${gate.wait}; exit 7" TERM; echo ready; read <> <(:)`});
	await eventually(() => isReady(agent, processId));
	void agent.killProcess(processId, {gracePeriodMs: 60_000});
	await eventually(async () => (await agent.get(processId)).stopping === 'request');
	await agent.kill();
	gate.open();
	await eventually(() => /^E/m.test(readRecord(stateDir, processId)));

	const supervisor = await openSupervisor(t, {stateDir});

	t.like(await supervisor.wait(processId), {...killed, exitCode: 7});
});

test('attack: a kill that races the start ends what was accepted, run or not, and nothing is left', async t => {
	const supervisor = await openSupervisor(t);
	const killing: Promise<unknown>[] = [];
	supervisor.on('queued', ({process}) => killing.push(supervisor.kill(process.processId, {gracePeriodMs: 0})));

	const started = await Promise.all(Array.from({length: 30}, () => supervisor.start({command: 'sleep', args: ['60']})));
	await Promise.all(killing);
	const ended = await Promise.all(started.map(({processId}) => supervisor.wait(processId)));

	t.is(killing.length, 30);
	t.true(ended.every(({status, reason}) => status === 'killed' && reason === 'request'));
	t.deepEqual(
		started.flatMap(({processId}) => treeOf(processId)),
		[],
	);
});

test('attack: a kill at the moment of the start notice ends the command', async t => {
	const supervisor = await openSupervisor(t);
	const killing: Promise<unknown>[] = [];
	supervisor.on('started', ({process}) => killing.push(supervisor.kill(process.processId)));

	await Promise.all(Array.from({length: 20}, () => supervisor.start({command: 'sleep', args: ['60']})));
	await Promise.all(killing);

	const {processes} = await supervisor.list({status: 'killed'});
	t.is(processes.length, 20);
});

test('attack: of a kill and a natural end one wins, each process ends once, and never is one stuck', async t => {
	const supervisor = await openSupervisor(t);
	const ends: string[] = [];
	supervisor.on('ended', ({process}) => ends.push(process.processId));
	const noted = besides(supervisor.stateDir, 'noted');

	const outcomes = await Promise.all(
		Array.from({length: 40}, async (_, index) => {
			const {processId} = await supervisor.start({
				command: `sleep 0.${10 + index}; echo "$NOHUPD_PROCESS_ID" >>'${noted}'`,
			});
			await eventually(() => readLines(noted).length >= index / 2);
			const answer = await supervisor.kill(processId).catch((error: unknown) => error);
			return {answer, process: await supervisor.wait(processId)};
		}),
	);

	for (const {answer, process} of outcomes) {
		if (answer instanceof ProcessEndedError) {
			t.like(process, {status: 'completed', exitCode: 0});
		} else {
			t.deepEqual(answer, process);
			t.is(process.status, 'killed');
		}
	}

	t.is(ends.length, 40);
	t.is(new Set(ends).size, 40);
});

/** Without its cookie, and deaf to SIGTERM; it stays in the group of its parent, which leaves at once. */
const deserter = `env -i bash -c 'trap "" TERM; echo $$; read <> <(:)' & wait`;

test('attack: who dropped its cookie and outlives its group’s leader is gone after a kill', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: deserter});
	const pid = Number(await eventually(async () => (await supervisor.get(processId)).stdout));
	t.teardown(() => killQuietly(pid));

	await supervisor.kill(processId, {gracePeriodMs: 300});

	t.false(isAlive(pid));
});

test('attack: the same when the agent is killed within the grace period', async t => {
	const stateDir = makeStateDir(t);
	const agent = await Agent.open(t, stateDir);
	const {processId, pid: leader} = await agent.start({command: deserter});
	const pid = Number(await eventually(async () => (await agent.get(processId)).stdout));
	t.teardown(() => killQuietly(pid));
	void agent.killProcess(processId, {gracePeriodMs: 2000});
	await eventually(() => !isAlive(Number(leader)));
	await agent.kill();

	const supervisor = await openSupervisor(t, {stateDir});
	await supervisor.wait(processId);

	t.false(isAlive(pid));
});

test('attack: the same at a deadline while no agent lives', async t => {
	const stateDir = makeStateDir(t);
	const agent = await Agent.open(t, stateDir, {gracePeriodMs: 500});
	const {processId} = await agent.start({command: deserter, timeoutMs: 1000});
	const pid = Number(await eventually(async () => (await agent.get(processId)).stdout));
	t.teardown(() => killQuietly(pid));
	// It may be done before we could ask.
	const keeper = await keeperPid(stateDir);
	await agent.kill();

	await eventually(() => !isAlive(keeper));

	t.false(isAlive(pid));
});
