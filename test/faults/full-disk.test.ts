import {execFileSync} from 'node:child_process';
import {mkdirSync, rmSync, statfsSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {StorageFullError} from '../../lib/index.js';
import {eventually} from '../helpers/eventually.js';
import {makeGate} from '../helpers/gate.js';
import {killAll, makeStateDir, openSupervisor} from '../helpers/state-dir.js';
import {listKept, readRecord} from '../helpers/state-files.js';

/** A state directory on a small file system of its own, or why there is none. */
function mountSmall(t: ExecutionContext): {stateDir: string; fill: () => void; free: () => void} | string {
	const stateDir = makeStateDir(t);
	mkdirSync(stateDir);
	try {
		execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m,mode=700', 'tmpfs', stateDir], {stdio: 'pipe'});
	} catch (error) {
		return String(error);
	}

	t.teardown(() => execFileSync('umount', ['--lazy', stateDir]));
	const ballast = join(stateDir, 'ballast');
	return {stateDir, fill: () => fill(ballast, stateDir), free: () => rmSync(ballast)};
}

/** To the last block. */
function fill(ballast: string, directory: string): void {
	for (let free = 1; free > 0; free = statfsSync(directory).bavail) {
		writeFileSync(ballast, Buffer.alloc(Math.max(1, statfsSync(directory).bavail) * 4096), {flag: 'a'});
	}
}

test('15: on a full disk an end is known, and nothing is accepted; with room again all goes on', async t => {
	const disk = mountSmall(t);
	if (typeof disk === 'string') {
		t.log(`skipped: a file system cannot be mounted here (${disk})`);
		t.pass();
		return;
	}

	const {stateDir} = disk;
	const gate = makeGate(stateDir);
	// Without a reserve: so that it is the disk itself that refuses.
	const supervisor = await openSupervisor(t, {stateDir, output: {reserveBytes: 0}});
	const {processId} = await supervisor.start({command: `${gate.wait}; exit 9`, timeoutMs: 0});
	const kept = listKept(stateDir);
	disk.fill();

	await t.throwsAsync(supervisor.start({command: 'true'}), {instanceOf: StorageFullError});
	t.deepEqual(listKept(stateDir), kept);
	gate.open();
	await eventually(() => /^E {3}9/m.test(readRecord(stateDir, processId)));
	disk.free();

	t.like(await supervisor.wait(processId), {status: 'failed', reason: 'exited', exitCode: 9});
	const after = await supervisor.start({command: 'echo again'});
	await supervisor.wait(after.processId);
	t.is((await supervisor.get(after.processId)).stdout, 'again\n');
	await killAll(supervisor);
	await supervisor.close();
});
