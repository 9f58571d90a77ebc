import {spawn} from 'node:child_process';
import {randomUUID} from 'node:crypto';
import {join} from 'node:path';
import {monitorEventLoopDelay} from 'node:perf_hooks';
import treeKill from 'tree-kill';
import {createSupervisor} from '../../../lib/index.js';
import {eventually} from '../../helpers/eventually.js';
import {findProcesses} from '../../helpers/processes.js';

/** A wide tree, in the group of its command. */
const script = 'for ((i = 0; i < $2; i++)); do (exec -a "$1" sleep 10000) & done; wait';

interface Tree {
	readonly args: readonly string[];
	/** Settles when all of it are alive. */
	grown(): Promise<unknown>;
}

/** Processes that obey SIGTERM. */
function plant(size: number): Tree {
	const marker = `bench-${randomUUID()}`;
	return {
		args: ['-c', script, 'bash', marker, String(size)],
		grown: () =>
			eventually(
				() => findProcesses(marker, 'cmdline').length,
				alive => alive > size,
				60_000,
			),
	};
}

/** From the order until nothing is left and that is known. */
export async function killBySupervisor(dir: string, size: number, containment: 'auto' | 'session') {
	const supervisor = await createSupervisor({stateDir: join(dir, 'state'), containment});
	const tree = plant(size);
	const {processId} = await supervisor.start({command: 'bash', args: tree.args, timeoutMs: 0});
	await tree.grown();
	const figures = await timed(() => supervisor.kill(processId));
	await supervisor.close();
	return figures;
}

export async function killByTreeKill(size: number) {
	const tree = plant(size);
	const child = spawn('bash', tree.args, {detached: true, stdio: 'ignore'});
	await tree.grown();
	const pid = child.pid ?? 0;
	return timed(async () => {
		await new Promise(resolve => treeKill(pid, 'SIGTERM', resolve));
		await groupGone(pid);
	});
}

/** How long it takes, and the longest time that the event loop was late meanwhile. */
async function timed(work: () => Promise<unknown>) {
	const delays = monitorEventLoopDelay({resolution: 1});
	// Whatever came before is not counted.
	await new Promise(resolve => setTimeout(resolve, 50));
	delays.enable();
	const begin = performance.now();
	await work();
	const killMs = performance.now() - begin;
	delays.disable();
	return {killMs, lateMs: delays.max / 1e6};
}

async function groupGone(pid: number): Promise<void> {
	for (;;) {
		try {
			process.kill(-pid, 0);
		} catch {
			// ESRCH: that is what was waited for.
			return;
		}

		await new Promise(resolve => setTimeout(resolve, 2));
	}
}
