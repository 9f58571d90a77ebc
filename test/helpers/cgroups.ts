import {randomUUID} from 'node:crypto';
import test, {type ExecutionContext} from 'ava';
import {findPrograms} from '../../lib/keeper/programs.js';
import {findConfinement} from '../../lib/os/confinement.js';
import type {LimitName} from '../../lib/process.js';
import {RecordingLogger} from './recording-logger.js';
import {openScratchCgroup, whyNoCgroup} from './scratch-cgroup.js';

export {whyNoCgroup} from './scratch-cgroup.js';

/** A test that needs real cgroups: skipped where none may be made, and its title says why. */
export function testWithCgroup(title: string, work: (t: ExecutionContext) => Promise<void> | void): void {
	if (whyNoCgroup === null) {
		test(title, work);
	} else {
		test.skip(`${title} (skipped: ${whyNoCgroup})`, work);
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
	const {path, close} = openScratchCgroup();
	t.teardown(close);
	return path;
}
