import {execFile, spawnSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {makeStateDir} from '../helpers/state-dir.js';

const program = fileURLToPath(new URL('pid-reuse-program.js', import.meta.url));

// The host's numbers are not disturbed, and all that runs there ends with its first process.
const inNamespace = ['--pid', '--fork', '--mount-proc', '--kill-child'];
/** As the first process bash waits for everybody who has lost its parent; and it must not become the program. */
const asChild = ['bash', '-c', '"$@"; exit "$?"', 'bash'];
const obstacle = findObstacle();

function findObstacle(): string | null {
	if (process.getuid?.() !== 0) {
		return 'needs root';
	}

	const {status} = spawnSync('unshare', [...inNamespace, 'bash', '-c', 'echo 300 >/proc/sys/kernel/ns_last_pid']);
	return status === 0 ? null : 'no pid namespace in which /proc/sys/kernel/ns_last_pid can be set';
}

/** `null`: whoever gave the signal in the supervisor's absence tells nothing. */
const ends: Readonly<Record<string, object>> = {
	lost: {status: 'failed', reason: 'lost', exitCode: null},
	kill: {status: 'killed', reason: 'request', exitCode: null},
	timeout: {status: 'killed', reason: 'timeout', exitCode: null},
	leftover: {status: 'failed', reason: 'exited', exitCode: 3},
	'dead-man': {status: null, reason: null, exitCode: null},
	'dead-man-leftover': {status: null, reason: null, exitCode: null},
};

for (const [way, end] of Object.entries(ends)) {
	for (const containment of ['auto', 'session']) {
		// A sibling is another command of the same keeper, which has to live when the pid is taken.
		for (const shape of ['leader', 'member', ...(way.endsWith('leftover') ? ['sibling'] : [])]) {
			const title = `a stranger (${shape} of a group) who got the pid is not signalled by ${way}, containment ${containment}`;
			const isStrangerSpared = async (t: ExecutionContext) => {
				const args = [...inNamespace, ...asChild, process.execPath, program, makeStateDir(t), containment, way, shape];
				const {stdout} = await promisify(execFile)('unshare', args);

				t.deepEqual(JSON.parse(stdout), {isStrangerAlive: true, left: 0, ...end});
			};
			if (obstacle === null) {
				test.serial(title, isStrangerSpared);
			} else {
				test.skip(`${title} (skipped: ${obstacle})`, isStrangerSpared);
			}
		}
	}
}
