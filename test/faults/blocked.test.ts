import {execFileSync} from 'node:child_process';
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {eventually} from '../helpers/eventually.js';
import {readProc} from '../helpers/processes.js';
import {makeStateDir, openSupervisor} from '../helpers/state-dir.js';

/** A file system that can be frozen: whoever writes there sleeps where no signal reaches it (fsfreeze(8)). */
function mountFreezable(t: ExecutionContext): {path: string; freeze: () => void; thaw: () => void} | string {
	const path = makeStateDir(t);
	const image = `${path}.img`;
	mkdirSync(path);
	try {
		execFileSync('truncate', ['--size', '16M', image], {stdio: 'pipe'});
		execFileSync('mkfs.ext4', ['-q', image], {stdio: 'pipe'});
		execFileSync('mount', ['-o', 'loop', image, path], {stdio: 'pipe'});
	} catch (error) {
		return String(error);
	}

	t.teardown(() => execFileSync('umount', [path]));
	let isFrozen = false;
	const thaw = () => {
		if (isFrozen) {
			execFileSync('fsfreeze', ['-u', path]);
			isFrozen = false;
		}
	};
	t.teardown(thaw);
	const freeze = () => {
		execFileSync('fsfreeze', ['-f', path]);
		isFrozen = true;
	};
	return {path, freeze, thaw};
}

test('what sleeps uninterruptibly keeps "stopping" and is shown as blocked, and the rest is served meanwhile', async t => {
	const disk = mountFreezable(t);
	if (typeof disk === 'string') {
		t.log(`skipped: a file system cannot be mounted here (${disk})`);
		t.pass();
		return;
	}

	const supervisor = await openSupervisor(t);
	disk.freeze();
	const {processId, pid} = await supervisor.start({
		command: `echo ready; echo x > ${join(disk.path, 'file')}`,
		timeoutMs: 0,
	});

	// Killed before it sleeps it would be gone at once. It sleeps like this also on its way into its cgroup.
	await eventually(async () => (await supervisor.get(processId)).stdout === 'ready\n');
	await eventually(() => readProc(Number(pid), 'stat').includes(') D '));

	const killed = supervisor.kill(processId, {gracePeriodMs: 0});
	const blocked = await eventually(
		() => supervisor.get(processId),
		process => process.blocked,
	);
	const other = await supervisor.start({command: 'true'});
	const otherEnded = await supervisor.wait(other.processId);
	disk.thaw();

	t.like(blocked, {status: 'running', stopping: 'request'});
	t.is(otherEnded.status, 'completed');
	t.like(await killed, {status: 'killed', blocked: false});
});
