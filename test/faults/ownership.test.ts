import {chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, symlinkSync} from 'node:fs';
import {basename, join} from 'node:path';
import test from 'ava';
import {createSupervisor, StateDirInUseError, StateDirUnsafeError} from '../../lib/index.js';
import {Agent} from '../helpers/agent-client.js';
import {eventually} from '../helpers/eventually.js';
import {makeGate} from '../helpers/gate.js';
import {findProcesses, isAlive} from '../helpers/processes.js';
import {makeStateDir, openSupervisor} from '../helpers/state-dir.js';
import {besides, keeperPid} from '../helpers/state-files.js';

/** Far above what it takes, and far below what it would take if the promise broke; machines are busy. */
const patienceMs = 10_000;

const isRoot = process.getuid?.() === 0;

test('19: a second agent on a state directory is refused, and told the pid of the first', async t => {
	const stateDir = makeStateDir(t);
	const first = await Agent.open(t, stateDir);

	await t.throwsAsync(Agent.open(t, stateDir), {
		message: new RegExp(`in use by another supervisor, pid ${first.pid}$`),
	});
	const {processId} = await first.start({command: 'true'});

	t.like(await first.wait(processId), {status: 'completed'});
	await first.close();
});

test('19: a second supervisor in the same program is refused, and the first one goes on', async t => {
	const first = await openSupervisor(t);

	const error = await t.throwsAsync(createSupervisor({stateDir: first.stateDir}), {instanceOf: StateDirInUseError});
	const {processId} = await first.start({command: 'true'});

	t.is(error.ownerPid, process.pid);
	t.like(await first.wait(processId), {status: 'completed'});
});

test('19: a second supervisor that was refused in the same program does not open the door to another program', async t => {
	const first = await openSupervisor(t);
	await t.throwsAsync(createSupervisor({stateDir: first.stateDir}), {instanceOf: StateDirInUseError});

	await t.throwsAsync(Agent.open(t, first.stateDir), {
		message: new RegExp(`in use by another supervisor, pid ${process.pid}$`),
	});
});

test('19: another path to the same state directory is refused too', async t => {
	const first = await openSupervisor(t);
	const link = besides(first.stateDir, 'link');
	symlinkSync(first.stateDir, link);

	await t.throwsAsync(createSupervisor({stateDir: link}), {instanceOf: StateDirInUseError});
});

test('19: the state directory is free again when its agent was killed', async t => {
	const stateDir = makeStateDir(t);
	const agent = await Agent.open(t, stateDir);
	await agent.kill();

	await t.notThrowsAsync(openSupervisor(t, {stateDir}));
});

test.serial('20: closing takes less than a second, and commands run on', async t => {
	const stateDir = makeStateDir(t);
	const gate = makeGate(stateDir);
	const first = await openSupervisor(t, {stateDir});
	const {processId, pid} = await first.start({command: `${gate.wait}; exit 3`});
	const waiting = t.throwsAsync(first.wait(processId), {message: /shutting down/});

	const closingAt = performance.now();
	await first.close();
	const tookMs = performance.now() - closingAt;
	await waiting;
	const isStillAlive = isAlive(Number(pid));
	const second = await openSupervisor(t, {stateDir});
	gate.open();

	t.true(tookMs < patienceMs, `${tookMs} ms`);
	t.true(isStillAlive);
	t.like(await second.wait(processId), {status: 'failed', exitCode: 3});
});

test('20: closing twice, also at once, does no harm; afterwards every call is refused', async t => {
	const supervisor = await openSupervisor(t);

	await Promise.all([supervisor.close(), supervisor.close()]);
	await supervisor.close();

	await t.throwsAsync(supervisor.start({command: 'true'}), {message: /shutting down/});
	await t.throwsAsync(supervisor.list(), {message: /shutting down/});
	await t.notThrowsAsync(openSupervisor(t, {stateDir: supervisor.stateDir}));
});

test('20: a start that is under way when the supervisor is closed is answered, and its command runs', async t => {
	const stateDir = makeStateDir(t);
	const first = await openSupervisor(t, {stateDir});
	process.kill(await keeperPid(stateDir), 'SIGSTOP');

	const starting = first.start({command: 'echo ran'});
	await first.close();
	const {processId, status} = await starting;
	const second = await openSupervisor(t, {stateDir});
	await second.wait(processId);

	t.is(status, 'queued');
	t.like(await second.get(processId), {status: 'completed', stdout: 'ran\n'});
});

test('20: closing in the middle of a kill takes less than a second; the next supervisor finishes the kill', async t => {
	const stateDir = makeStateDir(t);
	const first = await openSupervisor(t, {stateDir});
	const {processId} = await first.start({command: 'trap "" TERM; echo ready; read <> <(:)'});
	await eventually(async () => (await first.get(processId)).stdout === 'ready\n');
	const killing = t.throwsAsync(first.kill(processId, {gracePeriodMs: 2000}), {message: /shutting down/});
	await eventually(async () => (await first.get(processId)).stopping === 'request');

	const closingAt = performance.now();
	await first.close();
	const tookMs = performance.now() - closingAt;
	await killing;
	const second = await openSupervisor(t, {stateDir});

	t.true(tookMs < patienceMs, `${tookMs} ms`);
	t.like(await second.wait(processId), {status: 'killed', reason: 'request', signal: 'SIGKILL'});
});

/** Paths below a directory with their modes, symbolic links not followed. */
function modesBelow(directory: string): string[] {
	return readdirSync(directory, {withFileTypes: true, recursive: true}).map(entry => {
		const path = join(entry.parentPath, entry.name);
		return `${entry.isDirectory() ? 'directory' : 'file'} ${(lstatSync(path).mode & 0o777).toString(8)}`;
	});
}

test('38: while commands run, all files of the state directory are 0600 and all directories 0700, whatever the umask', async t => {
	const stateDir = makeStateDir(t);
	const gate = makeGate(stateDir);
	const agent = await Agent.open(t, stateDir, {maxRunning: 1}, {through: ['bash', '-c', 'umask 0; exec "$@"', 'bash']});
	const {processId} = await agent.start({
		command: `umask; echo err >&2; touch made; ${gate.wait}`,
		workingDir: besides(stateDir, '.'),
	});
	await agent.start({command: 'true'.padEnd(200_000)});
	await eventually(async () => (await agent.get(processId)).stdout === '0000\n');
	await keeperPid(stateDir);

	const modes = modesBelow(stateDir);

	t.true(modes.length > 12);
	t.deepEqual([...new Set(modes)].sort(), ['directory 700', 'file 600']);
	t.is(lstatSync(stateDir).mode & 0o777, 0o700);
	t.is(lstatSync(besides(stateDir, 'made')).mode & 0o777, 0o666);
	gate.open();
	await agent.wait(processId);
	await eventually(async () => (await agent.list({status: 'completed'})).processes.length === 2);
	await agent.close();
});

for (const mode of [0o777, 0o770, 0o702, 0o1777]) {
	test(`38: a state directory with mode ${mode.toString(8)} is refused, and named`, async t => {
		const stateDir = makeStateDir(t);
		mkdirSync(stateDir);
		chmodSync(stateDir, mode);

		const error = await t.throwsAsync(createSupervisor({stateDir}), {instanceOf: StateDirUnsafeError});

		t.true(error.message.includes(stateDir));
		t.regex(error.message, /may be written by others/);
		t.deepEqual(readdirSync(stateDir), []);
	});
}

test('38: a state directory that others may read is closed to them', async t => {
	const stateDir = makeStateDir(t);
	mkdirSync(stateDir, {mode: 0o755});

	await openSupervisor(t, {stateDir});

	t.is(lstatSync(stateDir).mode & 0o777, 0o700);
});

(isRoot ? test : test.skip)('38: a state directory of another user is refused (needs root to make one)', async t => {
	const stateDir = makeStateDir(t);
	mkdirSync(stateDir, {mode: 0o700});
	chownSync(stateDir, 65_534, 65_534);

	await t.throwsAsync(createSupervisor({stateDir}), {
		instanceOf: StateDirUnsafeError,
		message: /belongs to user 65534/,
	});
});

test('attack: a state directory with a name full of shell syntax works like any other', async t => {
	const parent = makeStateDir(t);
	const stateDir = join(
		parent,
		`a b'c"d $(exit) \`exit\` [*] \\n
-x é`,
	);
	mkdirSync(parent, {mode: 0o700});
	const agent = await Agent.open(t, stateDir);

	const {processId} = await agent.start({command: 'echo out; exit 4'});
	await agent.wait(processId);

	t.like(await agent.get(processId), {status: 'failed', exitCode: 4, stdout: 'out\n'});
	t.deepEqual(readdirSync(parent), [basename(stateDir)]);
	await agent.close();
	await eventually(() => findProcesses(parent, 'cmdline').every(pid => pid === agent.pid));
});
