import {spawnSync} from 'node:child_process';
import {mkdirSync, symlinkSync, unlinkSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {Agent} from '../helpers/agent-client.js';
import {eventually} from '../helpers/eventually.js';
import {whyNotAs} from '../helpers/other-user.js';
import {findProcesses} from '../helpers/processes.js';
import {makeStateDir} from '../helpers/state-dir.js';
import {makeTempDir} from '../helpers/temp-dir.js';

/** A shell that obeys SIGTERM, a child that does not, and two that left: four with its cookie. */
const tree = `
	trap 'echo asked; exit 0' TERM
	(trap '' TERM; exec sleep 1000) &
	setsid sleep 1000 &
	(sleep 1000 &)
	wait`;

function carriers(processId: string): number[] {
	return findProcesses(`NOHUPD_PROCESS_ID=${processId}`);
}

/** A directory with links to these programs. */
function linkPrograms(t: ExecutionContext, ...names: string[]): string {
	const bin = join(makeTempDir(t), 'bin');
	mkdirSync(bin);
	for (const name of names) {
		const {stdout} = spawnSync('which', [name], {encoding: 'utf8'});
		symlinkSync(stdout.trim(), join(bin, name));
	}

	return bin;
}

/** Kills the tree politely, and then shows that the agent has survived it. */
async function killsAndLives(t: ExecutionContext, agent: Agent, beforeKill: () => void = () => undefined) {
	const {processId} = await agent.start({command: tree});
	await eventually(() => carriers(processId).length === 4);
	beforeKill();

	const killed = await agent.killProcess(processId, {gracePeriodMs: 300});
	const after = await agent.start({command: 'echo lives'});
	await agent.wait(after.processId);

	t.like(killed, {status: 'killed', reason: 'request', exitCode: 0});
	t.deepEqual(carriers(processId), []);
	t.is((await agent.get(processId)).stdout, 'asked\n');
	t.is((await agent.get(after.processId)).stdout, 'lives\n');
}

for (const containment of ['auto', 'session'] as const) {
	test(`27: without ps in the path a kill works and the agent lives, containment ${containment}`, async t => {
		const path = linkPrograms(t, 'bash', 'env', 'setsid', 'sleep');
		const agent = await Agent.open(t, makeStateDir(t), {containment}, {env: {PATH: path}});

		await killsAndLives(t, agent);
	});
}

test('27: where ps was removed while the agent ran a kill works and the agent lives', async t => {
	const path = linkPrograms(t, 'bash', 'env', 'setsid', 'sleep', 'ps');
	const agent = await Agent.open(t, makeStateDir(t), {containment: 'session'}, {env: {PATH: path}});

	await killsAndLives(t, agent, () => unlinkSync(join(path, 'ps')));
});

const ordinaryUser = 65_534;
const asOrdinaryUser = ['setpriv', `--reuid=${ordinaryUser}`, `--regid=${ordinaryUser}`, '--clear-groups'];
/** In a mount namespace of its own, where nobody sees the processes of others. */
const hidepid: readonly string[] = [
	'unshare',
	'--mount',
	'bash',
	'-c',
	'mount -t proc -o hidepid=2 proc /proc && exec "$@"',
	'bash',
	...asOrdinaryUser,
];
const obstacle = whyNotAs(ordinaryUser) ?? whyNotHidden();

function whyNotHidden(): string | null {
	const [file = '', ...args] = hidepid;
	const {status, stdout} = spawnSync(file, [...args, 'ls', '/proc'], {encoding: 'utf8'});
	return status === 0 && !/^1$/m.test(stdout) ? null : '/proc cannot be mounted with hidepid=2';
}

const withHidepid = obstacle === null ? test : test.skip;

withHidepid(
	`27: where /proc shows nobody else's processes a kill works for one's own${obstacle === null ? '' : ` (skipped: ${obstacle})`}`,
	async t => {
		const stateDir = makeStateDir(t, ordinaryUser);
		const agent = await Agent.open(t, stateDir, {workingDir: '/'}, {through: hidepid});
		const shown = await agent.start({command: 'ls -d /proc/1', timeoutMs: 0});
		await agent.wait(shown.processId);

		t.is((await agent.get(shown.processId)).stdout, '');
		await killsAndLives(t, agent);
	},
);
