import test from 'ava';
import {ProcessEndedError, QueryInvalidError} from '../../lib/index.js';
import {eventually} from '../helpers/eventually.js';
import {openSupervisor} from '../helpers/state-dir.js';

const traps = `
	trap 'echo hangup' HUP
	trap 'echo interrupt; exit 7' INT
	echo ready
	while :; do sleep 0.01; done`;

test('a signal reaches the command, and ends nothing by itself', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: traps});
	const hasSaid = (text: string) =>
		eventually(
			() => supervisor.get(processId),
			({stdout}) => stdout.includes(text),
		);
	await hasSaid('ready');

	await supervisor.signal(processId, 'SIGHUP');

	t.is((await hasSaid('hangup')).status, 'running');
});

test('a kill asks with the signal that it was given', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: traps});
	await eventually(
		() => supervisor.get(processId),
		({stdout}) => stdout.includes('ready'),
	);

	const killed = await supervisor.kill(processId, {signal: 'SIGINT'});

	t.like(killed, {status: 'killed', reason: 'request', exitCode: 7});
});

test('a grace period of 0 is SIGKILL at once', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: `trap 'echo asked; exit 0' TERM; while :; do sleep 0.01; done`});

	const killed = await supervisor.kill(processId, {gracePeriodMs: 0});

	t.like(killed, {exitCode: 137, signal: 'SIGKILL'});
	t.is((await supervisor.get(processId)).stdout, '');
});

test('a signal to what has ended, and one that does not exist, are refused', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: 'true'});
	await supervisor.wait(processId);

	await t.throwsAsync(supervisor.signal(processId, 'SIGHUP'), {instanceOf: ProcessEndedError});
	await t.throwsAsync(supervisor.signal(processId, 'SIGNONE' as NodeJS.Signals), {
		instanceOf: QueryInvalidError,
		message: 'signal must be the name of a signal, for instance SIGHUP; got "SIGNONE"',
	});
});
