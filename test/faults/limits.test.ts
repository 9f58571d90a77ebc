import {join} from 'node:path';
import {readNumber} from '../../lib/os/cgroup.js';
import {testWithLimit} from '../helpers/cgroups.js';
import {eventually} from '../helpers/eventually.js';
import {cgroupOf, openSupervisor} from '../helpers/state-dir.js';

// Where version 1 of cgroups holds the controllers all of these are skipped. test/helpers/whole-machine.sh runs them on
// a machine of their own, whatever this one is.

const megabyte = 1024 * 1024;
/** Keeps the last line of its input in memory, which here has no end. */
const hoard = 'exec tail /dev/zero';

testWithLimit('memoryBytes', 'what needs more memory than its limit is ended by the kernel: "oom"', async t => {
	const supervisor = await openSupervisor(t);
	const limits = {memoryBytes: 50 * megabyte};

	const {processId} = await supervisor.start({command: hoard, limits});
	await supervisor.wait(processId);
	const ended = await supervisor.get(processId);

	t.like(ended, {status: 'failed', reason: 'oom', exitCode: 137, signal: 'SIGKILL', limits});
	const {memoryPeakBytes} = ended.usage ?? {};
	t.true(
		memoryPeakBytes === null || (Number(memoryPeakBytes) > 40 * megabyte && Number(memoryPeakBytes) <= 50 * megabyte),
	);
});

testWithLimit('memoryBytes', 'what the limit of one process ends is no other process', async t => {
	const supervisor = await openSupervisor(t);
	const other = await supervisor.start({command: 'sleep 1000'});

	const {processId} = await supervisor.start({command: hoard, limits: {memoryBytes: 50 * megabyte}});
	await supervisor.wait(processId);

	t.like(await supervisor.get(other.processId), {status: 'running'});
});

testWithLimit('memoryBytes', 'what has a limit is not swapped out instead of being ended', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: 'sleep 1000', limits: {memoryBytes: 50 * megabyte}});

	const swap = readNumber(join(cgroupOf(supervisor.stateDir), processId), 'memory.swap.max');

	// A kernel that does not account for it has no such file.
	t.true(swap === 0 || swap === null);
});

testWithLimit('memoryBytes', 'a kill of what was also out of memory is told as a kill', async t => {
	const supervisor = await openSupervisor(t);
	const command = `(echo 1000 >/proc/self/oom_score_adj; ${hoard}); echo survived; exec sleep 1000`;
	const {processId} = await supervisor.start({command, limits: {memoryBytes: 50 * megabyte}});
	await eventually(async () => (await supervisor.get(processId)).stdout.includes('survived'));

	t.like(await supervisor.kill(processId), {status: 'killed', reason: 'request'});
});

testWithLimit('pids', 'no more processes than the limit live at a time', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({
		command: 'for i in {1..10}; do sleep 1000 & done; wait',
		limits: {pids: 5},
	});

	const {usage} = await eventually(
		() => supervisor.get(processId),
		({stderr}) => stderr.includes('Resource temporarily unavailable'),
	);

	t.is(usage?.processes, 5);
});

testWithLimit('cpuPercent', 'a process that wants more of a processor than its limit is held back', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: 'while :; do :; done', limits: {cpuPercent: 10}});
	const leaf = join(cgroupOf(supervisor.stateDir), processId);

	const throttled = await eventually(() => readNumber(leaf, 'cpu.stat', 'nr_throttled') ?? 0);

	t.true(throttled > 0);
});
