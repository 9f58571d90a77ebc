import {execFileSync} from 'node:child_process';
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {createSupervisor} from '../../lib/index.js';
import {Agent} from '../helpers/agent-client.js';
import {eventually} from '../helpers/eventually.js';
import {makeGate} from '../helpers/gate.js';
import {findProcesses} from '../helpers/processes.js';
import {makeStateDir, openSupervisor} from '../helpers/state-dir.js';
import {listKept, readRecord} from '../helpers/state-files.js';

/** A state directory that has a file system of 1 MB to itself; `null` where none can be mounted. */
function makeSmallDisk(t: ExecutionContext) {
	const stateDir = makeStateDir(t);
	mkdirSync(stateDir);
	try {
		execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'tmpfs', stateDir], {stdio: 'pipe'});
	} catch (error) {
		t.log(`skipped: a file system cannot be mounted here (${String(error)})`);
		t.pass();
		return null;
	}

	t.teardown(() => execFileSync('umount', ['--lazy', stateDir]));
	const ballast = join(stateDir, 'ballast');
	const fill = () => {
		try {
			writeFileSync(ballast, Buffer.alloc(2 * 1024 * 1024));
		} catch {
			// ENOSPC, as it should be.
		}
	};
	return {stateDir, fill, free: () => rmSync(ballast, {force: true})};
}

const tree = (processId: string) => findProcesses(`NOHUPD_PROCESS_ID=${processId}`);
const sleep = {command: 'sleep', args: ['60']};
const output = {reserveBytes: 0};

test('15: on a full disk a kill ends its command and a deadline is held; both are stored when there is room', async t => {
	const disk = makeSmallDisk(t);
	if (disk === null) {
		return;
	}

	const supervisor = await openSupervisor(t, {stateDir: disk.stateDir, output});
	const victim = await supervisor.start(sleep);
	const overdue = await supervisor.start({...sleep, timeoutMs: 1500});
	disk.fill();

	const killed = await supervisor.kill(victim.processId);
	await eventually(() => tree(overdue.processId).length === 0);
	await t.throwsAsync(supervisor.start({command: 'true'}), {code: 'storage_full'});
	disk.free();
	const [storedKill, storedTimeout] = await Promise.all(
		[victim, overdue].map(({processId}) => supervisor.wait(processId)),
	);

	t.like(killed, {status: 'killed', reason: 'request', exitCode: 143});
	t.like(storedKill, {status: 'killed', reason: 'request', exitCode: 143});
	t.like(storedTimeout, {status: 'killed', reason: 'timeout', exitCode: 143});
	t.is((await supervisor.list()).processes.length, 2);
});

test('15: a supervisor that finds its disk full says so, and the next one that has room finds everything', async t => {
	const disk = makeSmallDisk(t);
	if (disk === null) {
		return;
	}

	const agent = await Agent.open(t, disk.stateDir, {output});
	const {processId} = await agent.start(sleep);
	disk.fill();
	await agent.kill();

	const error = await t.throwsAsync(createSupervisor({stateDir: disk.stateDir, output}), {code: 'state_dir_full'});
	const isAlive = tree(processId).length > 0;
	disk.free();
	const supervisor = await openSupervisor(t, {stateDir: disk.stateDir, output});

	t.true(error?.message.includes(disk.stateDir));
	t.true(isAlive);
	t.like(await supervisor.get(processId), {status: 'running'});
});

test('15: on a full disk a kill of one that waits is refused with the reason, and carried out when there is room', async t => {
	const disk = makeSmallDisk(t);
	if (disk === null) {
		return;
	}

	const supervisor = await openSupervisor(t, {stateDir: disk.stateDir, output, maxRunning: 1});
	await supervisor.start(sleep);
	const waiting = await supervisor.start({command: 'echo ran'});
	disk.fill();

	await t.throwsAsync(supervisor.kill(waiting.processId), {code: 'storage_full'});
	disk.free();
	const killed = await supervisor.kill(waiting.processId);

	t.like(killed, {status: 'killed', reason: 'request', startedAt: null});
});

test('15: on a full disk an end is known, and a refused start leaves nothing; with room again all goes on', async t => {
	const disk = makeSmallDisk(t);
	if (disk === null) {
		return;
	}

	const {stateDir} = disk;
	const gate = makeGate(stateDir);
	const supervisor = await openSupervisor(t, {stateDir, output});
	const {processId} = await supervisor.start({command: `${gate.wait}; exit 9`});
	const kept = listKept(stateDir);
	disk.fill();

	await t.throwsAsync(supervisor.start({command: 'true'}), {code: 'storage_full'});
	t.deepEqual(listKept(stateDir), kept);
	gate.open();
	await eventually(() => /^E {3}9/m.test(readRecord(stateDir, processId)));
	disk.free();

	t.like(await supervisor.wait(processId), {status: 'failed', reason: 'exited', exitCode: 9});
	const {processId: next} = await supervisor.start({command: 'echo again'});
	await supervisor.wait(next);
	t.is((await supervisor.get(next)).stdout, 'again\n');
});
