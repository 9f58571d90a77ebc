import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {lstatSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {readBootId, readStat} from '../../lib/os/proc.js';
import {Agent} from '../helpers/agent-client.js';
import {eventually} from '../helpers/eventually.js';
import {makeGate} from '../helpers/gate.js';
import {findProcesses, isAlive, killQuietly} from '../helpers/processes.js';
import {makeStateDir, openSupervisor} from '../helpers/state-dir.js';
import {besides, keeperPid, makeOverdue} from '../helpers/state-files.js';

// A command runs as the same user as its agent: it can harm its own record, and end whom it likes by itself. But it
// must not make the agent do that, which may know more than it does or run as root in another place.

/** Somebody who has nothing to do with us, in a session and a group of its own. */
async function startStranger(t: ExecutionContext): Promise<{pid: number; child: ChildProcess; startLine: string}> {
	const child = spawn('sleep', ['600'], {detached: true, stdio: 'ignore'});
	const pid = child.pid ?? 0;
	t.teardown(async () => {
		killQuietly(pid);
		await (child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null);
	});
	const stat = await eventually(() => readStat(pid));
	const fields = [`${pid}`.padStart(7), `${stat?.startTicks}`.padStart(11), `${process.pid}`.padStart(7)];
	const startLine = `S ${fields.join(' ')} ${`${pid}`.padStart(7)} ${`${Date.now()}000`.padStart(16)} ${readBootId()}`;
	return {pid, child, startLine};
}

/** Writes a stranger's identity over its own, as soon as it runs, and says so. */
function forge(stateDir: string, startLine: string): string {
	const record = join(stateDir, 'records');
	return `printf %s '${startLine}' 1<>"${record}/$NOHUPD_PROCESS_ID"`;
}

for (const containment of ['auto', 'session'] as const) {
	test(`a command that writes a stranger into its record is killed without harm to that one, containment ${containment}`, async t => {
		const stateDir = makeStateDir(t);
		const stranger = await startStranger(t);
		const agent = await Agent.open(t, stateDir, {containment});
		// Nobody looks while it forges: the row of the next agent has what the record says.
		const keeper = await keeperPid(stateDir);
		process.kill(keeper, 'SIGSTOP');
		const starting = agent.start({command: `${forge(stateDir, stranger.startLine)}; echo forged >&2; exec sleep 60`});
		starting.catch(() => undefined);
		const {processes} = await eventually(
			() => agent.list(),
			page => page.processes.length === 1,
		);
		await agent.kill();
		process.kill(keeper, 'SIGCONT');
		const processId = processes[0]?.processId ?? '';
		const supervisor = await openSupervisor(t, {stateDir, containment});
		await eventually(async () => (await supervisor.get(processId)).stderr === 'forged\n');

		await t.throwsAsync(supervisor.signal(processId, 'SIGTERM').then(() => Promise.reject(new Error('sent'))));
		const killed = await supervisor.kill(processId, {gracePeriodMs: 100});

		t.is(killed.status, 'killed');
		t.true(isAlive(stranger.pid));
	});
}

test("the dead man's switch does not end a stranger whom an overdue command wrote into its record", async t => {
	const stateDir = makeStateDir(t);
	const stranger = await startStranger(t);
	const agent = await Agent.open(t, stateDir, {containment: 'session', gracePeriodMs: 100});
	const {processId} = await agent.start({
		command: `${forge(stateDir, stranger.startLine)}; echo forged; exec sleep 60`,
		timeoutMs: 60_000,
	});
	await eventually(async () => (await agent.get(processId)).stdout.includes('forged'));
	makeOverdue(stateDir, processId);

	await agent.kill();

	// By its cookie, which the stranger has not.
	await eventually(() => findProcesses(`NOHUPD_PROCESS_ID=${processId}`).length === 0);
	t.true(isAlive(stranger.pid));
});

test('a stranger whose number stands in the file of the keeper is not ended by the next agent', async t => {
	const stateDir = makeStateDir(t);
	const stranger = await startStranger(t);
	const agent = await Agent.open(t, stateDir);
	const stat = readStat(stranger.pid);
	const {processId} = await agent.start({
		command: `echo '${stranger.pid} ${stat?.startTicks} ${readBootId()}' >'${join(stateDir, 'keeper')}'`,
	});
	await agent.wait(processId);
	await agent.kill();

	const supervisor = await openSupervisor(t, {stateDir});
	const {processId: next} = await supervisor.start({command: 'true'});

	t.is((await supervisor.wait(next)).status, 'completed');
	t.true(isAlive(stranger.pid));
});

test("a command that wears another's cookie is ended with that one, and nobody else is", async t => {
	const supervisor = await openSupervisor(t, {containment: 'session'});
	const stranger = await startStranger(t);
	const victim = await supervisor.start({command: 'exec sleep 60'});
	const faker = await supervisor.start({command: `NOHUPD_PROCESS_ID=${victim.processId} exec sleep 60`});
	await eventually(() => isAlive(Number(faker.pid)));

	await supervisor.kill(victim.processId);

	t.true(isAlive(stranger.pid));
	t.false(isAlive(Number(victim.pid)));
	t.like(await supervisor.kill(faker.processId).catch(error => error), {processId: faker.processId});
});

test('a command that kills keeper and shims stops nobody from being served', async t => {
	const supervisor = await openSupervisor(t);
	const {stateDir} = supervisor;
	const {processId} = await supervisor.start({command: `pkill -KILL -f 'keeper.sh ${stateDir}'; sleep 60`});

	const lost = await supervisor.wait(processId);
	const next = await supervisor.start({command: 'echo served'});
	await supervisor.wait(next.processId);

	t.like(lost, {status: 'failed', reason: 'lost', exitCode: null});
	t.is((await supervisor.get(next.processId)).stdout, 'served\n');
});

for (const name of [
	'records/$id',
	'runs/$id/claim',
	'runs/$id/spec',
	'runs/$id/stdout',
	'runs/$id/dropped',
	'keeper',
]) {
	test(`a command that puts a FIFO in the place of ${name} holds nobody up`, async t => {
		const stateDir = makeStateDir(t);
		const agent = await Agent.open(t, stateDir);
		const path = join(stateDir, name);
		const gate = makeGate(stateDir);
		const {processId} = await agent.start({
			command: `${gate.wait}; id=$NOHUPD_PROCESS_ID; rm -f "${path}"; mkfifo "${path}"; echo done >&2; exec sleep 60`,
			timeoutMs: 60_000,
		});
		await eventually(async () => (await agent.get(processId)).status === 'running');
		gate.open();
		await eventually(async () => (await agent.get(processId)).stderr === 'done\n');
		const listed = await agent.list();
		await agent.kill();

		const supervisor = await openSupervisor(t, {stateDir});
		const next = await supervisor.start({command: 'echo served'});
		await supervisor.wait(next.processId);

		t.is(listed.processes.length, 1);
		t.is((await supervisor.get(next.processId)).stdout, 'served\n');
		t.like(await supervisor.kill(processId, {gracePeriodMs: 0}), {status: 'killed'});
	});
}

for (const name of [
	'records/$id',
	'runs/$id/claim',
	'runs/$id/spec',
	'runs/$id/stdout',
	'runs/$id/dropped',
	'runs/$id',
]) {
	test(`a command that puts a link in the place of ${name} is shown nothing of what it leads to, and nothing there is changed`, async t => {
		const stateDir = makeStateDir(t);
		const agent = await Agent.open(t, stateDir);
		const secret = 'a secret that is not ours';
		const directory = besides(stateDir, 'directory');
		const file = join(directory, 'precious');
		mkdirSync(directory);
		writeFileSync(file, secret);
		const target = name === 'runs/$id' ? directory : file;
		const path = join(stateDir, name);
		const {processId} = await agent.start({
			command: `id=$NOHUPD_PROCESS_ID; rm -rf "${path}"; ln -s '${target}' "${path}"; exec sleep 60`,
			timeoutMs: 0,
		});
		const link = path.replace('$id', processId);
		await eventually(() => lstatSync(link, {throwIfNoEntry: false})?.isSymbolicLink() === true);

		const shown = [await agent.get(processId), await agent.list()];
		await agent.kill();
		const supervisor = await openSupervisor(t, {stateDir});
		shown.push(await supervisor.get(processId), await supervisor.list());
		const next = await supervisor.start({command: 'echo served'});
		await supervisor.wait(next.processId);
		// Without a record it may be lost, and ended, before that.
		await supervisor.kill(processId, {gracePeriodMs: 0}).catch(() => undefined);
		await supervisor.wait(processId);
		await supervisor.forget(processId);

		t.is((await supervisor.get(next.processId)).stdout, 'served\n');
		t.deepEqual(findProcesses(`NOHUPD_PROCESS_ID=${processId}`), []);
		t.notRegex(JSON.stringify(shown), /secret/);
		t.is(readFileSync(file, 'utf8'), secret);
		t.is(lstatSync(link, {throwIfNoEntry: false}), undefined);
	});
}

for (const dropped of [
	'no JSON',
	'{"stdout":{"base":-1e12,"shift":1e18,"cutAt":null}}',
	'{"stdout":{"base":"x"}}',
	'[]',
]) {
	test(`a command that says of its own output what cannot be is still listed: ${dropped}`, async t => {
		const supervisor = await openSupervisor(t);
		const {processId} = await supervisor.start({
			command: `echo out; echo '${dropped}' >'${supervisor.stateDir}/runs/'$NOHUPD_PROCESS_ID/dropped`,
		});
		await supervisor.wait(processId);

		const {processes} = await supervisor.list();

		t.like(processes, [{processId, stdout: 'out\n', stdoutBytes: 4, stdoutDropped: 0}]);
	});
}

for (const [what, harm] of Object.entries({
	'its own run directory': 'rm -rf "$dir/runs/$NOHUPD_PROCESS_ID"',
	'all records': 'rm -rf "$dir/records/"*',
	'the database': 'rm -f "$dir/nohupd.db"',
	'the file of the keeper': 'rm -f "$dir/keeper"; mkdir "$dir/keeper"',
})) {
	test(`a command that removes ${what} stops nobody from being served`, async t => {
		const supervisor = await openSupervisor(t);
		const {processId} = await supervisor.start({command: `dir='${supervisor.stateDir}'; ${harm}`});
		await supervisor.wait(processId);

		const next = await supervisor.start({command: 'echo served'});
		await supervisor.wait(next.processId);

		t.is((await supervisor.get(next.processId)).stdout, 'served\n');
	});
}
