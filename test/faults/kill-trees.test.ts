import {randomUUID} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import type {Process, Supervisor} from '../../lib/index.js';
import {Agent} from '../helpers/agent-client.js';
import {eventually} from '../helpers/eventually.js';
import {whyNotAs} from '../helpers/other-user.js';
import {findProcesses} from '../helpers/processes.js';
import {makeStateDir, openSupervisor} from '../helpers/state-dir.js';

const fixtures = new URL('../../../test/fixtures/trees/', import.meta.url);
const usualRuns = 20;
/** `NOHUPD_TEST_RUNS=20 npx ava test/faults/kill-trees.test.ts` is the long form: at least so many of each shape. */
const leastRuns = Number(process.env['NOHUPD_TEST_RUNS'] ?? 0);
/** Nobody is anybody else's business: what cannot be read, signalled or written to shows. */
const ordinaryUser = 65_534;
const patienceMs = 120_000 + 10_000 * leastRuns;
const obstacle = whyNotAs(ordinaryUser);

function asOrdinaryUser(title: string, work: (t: ExecutionContext) => Promise<void>): void {
	if (obstacle === null) {
		test.serial(title, work);
	} else {
		test.skip(`${title} (skipped: ${obstacle})`, work);
	}
}

interface Shape {
	/** Processes that are alive at once, for sure, before the kill; each by its marker. */
	readonly size: number;
	/** So many are killed together. */
	readonly atOnce?: number;
	readonly runs?: number;
	readonly gracePeriodMs?: number;
	/** The command itself ends at once; only what it left behind goes on. */
	readonly leaves?: true;
}

const shapes: Readonly<Record<string, Shape>> = {
	children: {size: 3},
	'ignores-sigterm': {size: 1, gracePeriodMs: 100},
	setsid: {size: 2},
	'double-fork': {size: 2},
	daemon: {size: 2},
	'nohup-disown': {size: 2},
	'three-hundred': {size: 300, atOnce: 3, runs: 3},
	'fast-forker': {size: 1, gracePeriodMs: 20, atOnce: 5},
	'leaving-chain': {size: 1, gracePeriodMs: 20, atOnce: 2, leaves: true},
	stopped: {size: 1, gracePeriodMs: 100},
};

type Killer = Pick<Supervisor, 'start' | 'wait' | 'kill'>;

async function killAll(t: ExecutionContext, name: string, shape: Shape, supervisor: Killer): Promise<Process[]> {
	const runs = Math.max(leastRuns, shape.runs ?? usualRuns);
	const killed: Process[] = [];
	while (killed.length < runs) {
		killed.push(...(await killTogether(t, name, shape, supervisor, shape.atOnce ?? runs)));
	}

	return killed;
}

async function killTogether(t: ExecutionContext, name: string, shape: Shape, supervisor: Killer, count: number) {
	const script = fileURLToPath(new URL(`${name}.sh`, fixtures));
	const marker = `tree-${name}-${randomUUID()}`;
	const started = await Promise.all(
		Array.from({length: count}, () => supervisor.start({command: 'bash', args: [script, marker], timeoutMs: 0})),
	);
	if (shape.leaves) {
		await Promise.all(started.map(({processId}) => supervisor.wait(processId)));
	}

	await eventually(
		() => findProcesses(marker, 'cmdline').length,
		alive => alive >= shape.size * count,
	);

	const killed = await Promise.all(
		started.map(({processId}) => supervisor.kill(processId, {gracePeriodMs: shape.gracePeriodMs ?? 2000})),
	);

	// Many looks: what changes its pid all the time can be missed by one.
	t.deepEqual(Array.from({length: 20}, () => findProcesses(marker, 'cmdline')).flat(), []);
	t.deepEqual([...new Set(killed.map(({status}) => status))], [shape.leaves ? 'completed' : 'killed']);
	return killed;
}

for (const [name, shape] of Object.entries(shapes)) {
	const title = readFileSync(new URL(`${name}.sh`, fixtures), 'utf8')
		.split('\n')[0]
		?.slice(2);
	for (const containment of ['auto', 'session'] as const) {
		test.serial(`21: nothing is left of ${name}, containment ${containment} (${title})`, async t => {
			t.timeout(patienceMs);
			await killAll(t, name, shape, await openSupervisor(t, {containment}));
		});
	}

	asOrdinaryUser(`21: nothing is left of ${name}, as an ordinary user (${title})`, async t => {
		t.timeout(patienceMs);
		const stateDir = makeStateDir(t, ordinaryUser);
		const agent = await Agent.open(t, stateDir, {containment: 'session', workingDir: '/'}, {uid: ordinaryUser});

		await killAll(t, name, shape, {
			start: command => agent.start(command),
			wait: processId => agent.wait(processId),
			kill: (processId, options) => agent.killProcess(processId, options),
		});
	});
}

test('22: where a shell obeys SIGTERM and its child does not, the child has its grace period, and the answer comes after it', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: `bash -c 'trap "" TERM; echo ready; sleep 1000; :' & wait`});
	await eventually(async () => (await supervisor.get(processId)).stdout === 'ready\n');
	const askedAt = performance.now();

	const killed = await supervisor.kill(processId, {gracePeriodMs: 300});

	t.true(performance.now() - askedAt >= 300);
	t.deepEqual(findProcesses(`NOHUPD_PROCESS_ID=${processId}`), []);
	t.like(killed, {status: 'killed', exitCode: 143, signal: 'SIGTERM'});
});

test.serial('28: with a cgroup, what sheds its cookie, its session and its parents dies with the rest', async t => {
	const supervisor = await openSupervisor(t);
	if (supervisor.state().containment !== 'cgroup') {
		t.log('skipped: no cgroup v2 may be made here');
		t.pass();
		return;
	}

	const killed = await killAll(t, 'sheds-everything', {size: 2}, supervisor);

	t.is(killed[0]?.containment, 'cgroup');
});
