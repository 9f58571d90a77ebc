import {fileURLToPath} from 'node:url';
import test from 'ava';
import {ProcessEndedError} from '../../lib/index.js';
import {Agent} from '../helpers/agent-client.js';
import {eventually} from '../helpers/eventually.js';
import {findProcesses} from '../helpers/processes.js';
import {makeStateDir, openSupervisor} from '../helpers/state-dir.js';

const script = fileURLToPath(new URL('self-killing-agent.js', import.meta.url));

for (const containment of ['auto', 'session'] as const) {
	test(`12: what outlives its leader is counted, and shown as leftover, containment ${containment}`, async t => {
		const supervisor = await openSupervisor(t, {containment});

		const {processId} = await supervisor.start({command: 'sleep 1000 & setsid sleep 1000 & exit 3', timeoutMs: 0});
		const ended = await supervisor.wait(processId);
		const {leftover} = await eventually(
			() => supervisor.get(processId),
			process => process.leftover > 0,
		);

		t.like(ended, {status: 'failed', reason: 'exited', exitCode: 3});
		t.is(leftover, 2);
		await supervisor.kill(processId);
	});

	test(`12: a kill of an ended process ends what it left behind, once, containment ${containment}`, async t => {
		const supervisor = await openSupervisor(t, {containment});
		const {processId} = await supervisor.start({command: 'sleep 1000 & exit 3', timeoutMs: 0});
		await supervisor.wait(processId);

		const killed = await supervisor.kill(processId);

		t.like(killed, {status: 'failed', reason: 'exited', exitCode: 3, leftover: 0});
		t.deepEqual(findProcesses(`NOHUPD_PROCESS_ID=${processId}`), []);
		await t.throwsAsync(supervisor.kill(processId), {instanceOf: ProcessEndedError});
	});

	test(`12: with leftover "kill" they are ended at once, containment ${containment}`, async t => {
		const supervisor = await openSupervisor(t, {containment});

		const {processId} = await supervisor.start({
			command: 'setsid sleep 1000 & sleep 1000 & exit 0',
			timeoutMs: 0,
			leftover: 'kill',
		});
		await supervisor.wait(processId);

		await eventually(
			() => findProcesses(`NOHUPD_PROCESS_ID=${processId}`),
			found => found.length === 0,
		);
		t.like(await supervisor.get(processId), {status: 'completed', exitCode: 0});
	});

	test(`12: leftovers still fall to the timeout, containment ${containment}`, async t => {
		const supervisor = await openSupervisor(t, {containment});
		const {processId} = await supervisor.start({command: 'sleep 1000 & exit 0', timeoutMs: 1500});
		await supervisor.wait(processId);
		const before = await eventually(
			() => supervisor.get(processId),
			({leftover}) => leftover === 1,
		);

		const after = await eventually(
			() => supervisor.get(processId),
			({leftover}) => leftover === 0,
		);

		t.deepEqual(findProcesses(`NOHUPD_PROCESS_ID=${processId}`), []);
		t.deepEqual([before.reason, after.reason], ['exited', 'exited']);
	});

	test(`12: what was left is counted also where the agent was killed before it had looked, containment ${containment}`, async t => {
		const stateDir = makeStateDir(t);
		const env = {DIES: 'before what it left was counted'};
		const agent = await Agent.open(t, stateDir, {containment}, {script, env});
		agent.start({command: 'sleep 1000 & exit 3', timeoutMs: 0}).catch(() => undefined);
		t.is(await agent.gone(), 'SIGKILL');

		const supervisor = await openSupervisor(t, {stateDir, containment});
		const {processes} = await eventually(
			() => supervisor.list(),
			page => page.processes.some(({leftover}) => leftover > 0),
		);

		t.like(processes, [{status: 'failed', exitCode: 3, leftover: 1}]);
		await supervisor.kill(processes[0]?.processId ?? '');
	});
}
