import {randomUUID} from 'node:crypto';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {findPrograms} from '../../lib/keeper/programs.js';
import {findOwnCgroup, listMembers, makeCgroup, removeCgroup} from '../../lib/os/cgroup.js';
import {findConfinement} from '../../lib/os/confinement.js';
import type {LimitName} from '../../lib/process.js';
import {eventually} from './eventually.js';
import {killQuietly} from './processes.js';
import {RecordingLogger} from './recording-logger.js';

/** Why no real cgroup can be made here; `null` where one can. */
const obstacle = findObstacle();

/** A test that needs real cgroups: skipped where none may be made, and its title says why. */
export function testWithCgroup(title: string, work: (t: ExecutionContext) => Promise<void> | void): void {
	if (obstacle === null) {
		test(title, work);
	} else {
		test.skip(`${title} (skipped: ${obstacle})`, work);
	}
}

/** A test that needs the kernel to hold a limit: skipped where no controller of cgroup v2 does, and its title says why. */
export function testWithLimit(limit: LimitName, title: string, work: (t: ExecutionContext) => Promise<void>): void {
	if (heldLimits().has(limit)) {
		test(title, work);
	} else {
		test.skip(`${title} (skipped: no controller of cgroup v2 holds ${limit} here)`, work);
	}
}

/** What a supervisor would find that runs where the test does. */
function heldLimits(): ReadonlySet<LimitName> {
	const confinement = findConfinement(`/nohupd-test-${randomUUID()}`, true, findPrograms(), new RecordingLogger());
	confinement.close();
	return confinement.limits;
}

/** A cgroup of the test's own. At its end whatever is in there is killed, and it is removed. */
export function makeTestCgroup(t: ExecutionContext): string {
	const cgroup = newPath();
	makeCgroup(cgroup);
	t.teardown(() =>
		eventually(() => {
			listMembers(cgroup).forEach(killQuietly);
			return removeCgroup(cgroup);
		}),
	);
	return cgroup;
}

function newPath(): string {
	return join(findOwnCgroup() ?? '/nowhere', `nohupd-test-${randomUUID().slice(0, 8)}`);
}

function findObstacle(): string | null {
	if (findOwnCgroup() === null) {
		return 'no cgroup v2 hierarchy is mounted';
	}

	const path = newPath();
	try {
		makeCgroup(path);
		removeCgroup(path);
		return null;
	} catch (error) {
		return `no cgroup may be made: ${(error as NodeJS.ErrnoException).code}`;
	}
}
