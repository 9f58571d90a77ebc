import {chownSync, mkdtempSync, readdirSync, realpathSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {createSupervisor, type Supervisor, type SupervisorOptions} from '../../lib/index.js';
import {listMembers, removeCgroup} from '../../lib/os/cgroup.js';
import {findBase} from '../../lib/os/confinement.js';
import {eventually} from './eventually.js';
import {findProcesses, killQuietly} from './processes.js';

/**
 * A state directory of the test's own. At the end it ends whatever runs in its name (commands by their
 * cookie or cgroup, keepers and shims by its path), fails the test if a command was left, and removes it.
 * @param owner - Of the place where it is to be made; default: who runs the test.
 */
export function makeStateDir(t: ExecutionContext, owner?: number): string {
	const parent = mkdtempSync(join(realpathSync(tmpdir()), 'nohupd-test-'));
	const stateDir = join(parent, 'state');
	if (owner !== undefined) {
		chownSync(parent, owner, owner);
	}

	t.teardown(async () => {
		const left = new Set([...findCarriers(stateDir), ...listMembers(cgroupOf(stateDir))]);
		for (const pid of [...left, ...findProcesses(stateDir, 'cmdline')]) {
			killQuietly(pid);
		}

		await eventually(
			() => findProcesses(stateDir, 'cmdline'),
			found => found.length === 0,
		);
		await eventually(() => removeCgroup(cgroupOf(stateDir)));
		rmSync(parent, {recursive: true, force: true});
		if (left.size > 0) {
			throw new Error(`The test left ${left.size} processes behind`);
		}
	});
	return stateDir;
}

/** Below it each process of a state directory has its own, where cgroups may be made; it need not exist. */
export function cgroupOf(stateDir: string): string {
	return findBase(stateDir) ?? '/nowhere';
}

/** Pids of those who carry the cookie of any process of a state directory. */
function findCarriers(stateDir: string): number[] {
	return listProcessIds(stateDir).flatMap(processId => findProcesses(`NOHUPD_PROCESS_ID=${processId}`));
}

/** A supervisor on a state directory; at the end its processes are killed and it is closed. */
export async function openSupervisor(
	t: ExecutionContext,
	options: Partial<SupervisorOptions> = {},
): Promise<Supervisor> {
	const supervisor = await createSupervisor({stateDir: makeStateDir(t), ...options});
	t.teardown(async () => {
		if (supervisor.state().isClosing) {
			return;
		}

		await killAll(supervisor);
		await supervisor.close();
	});
	return supervisor;
}

/** Ends everything that runs or waits. */
export async function killAll(supervisor: Supervisor): Promise<void> {
	for (const status of ['queued', 'running'] as const) {
		const {processes} = await supervisor.list({status, tailBytes: 0});
		await Promise.allSettled(processes.map(({processId}) => supervisor.kill(processId, {gracePeriodMs: 0})));
	}
}

function listProcessIds(stateDir: string): string[] {
	try {
		return readdirSync(join(stateDir, 'runs'));
	} catch {
		// It never got that far.
		return [];
	}
}
