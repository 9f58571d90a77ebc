import {randomUUID} from 'node:crypto';
import {existsSync, mkdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {readKeeperIdentity} from '../../../lib/keeper/keeper.js';
import {KeeperLauncher} from '../../../lib/keeper/launcher.js';
import {findPrograms} from '../../../lib/keeper/programs.js';
import {ProcfsTable} from '../../../lib/os/process-table.js';
import {aQueuedProcess} from '../../helpers/a-process.js';
import {eventually} from '../../helpers/eventually.js';
import {findProcesses, isAlive, killQuietly} from '../../helpers/processes.js';
import {RecordingLogger} from '../../helpers/recording-logger.js';
import {makeStateDir} from '../../helpers/state-dir.js';

const keeperScript = fileURLToPath(new URL('../../../../lib/keeper/keeper.sh', import.meta.url));

const host = {
	environment: () =>
		new Map([
			['PATH', '/usr/bin:/bin'],
			['FROM', 'the agent'],
			['KEPT', 'yes'],
		]),
	problemWithDirectory: () => null,
};

function makePlace(t: ExecutionContext) {
	const stateDir = makeStateDir(t);
	mkdirSync(stateDir, {mode: 0o700});
	return {stateDir, keeperScript, programs: findPrograms(), gracePeriodMs: 100};
}

function open(t: ExecutionContext, place = makePlace(t)) {
	const logger = new RecordingLogger();
	const launcher = new KeeperLauncher(place, host, new ProcfsTable(), logger);
	t.teardown(() => launcher.close());
	const prepare = (line: string, env: Readonly<Record<string, string>> = {}): string => {
		const processId = `proc_${randomUUID().replaceAll('-', '')}`;
		const {sequence, ...process} = aQueuedProcess({processId, command: {line, workingDir: '/', timeoutMs: 0}});
		launcher.prepare(process, new Map(Object.entries(env)));
		return processId;
	};
	const ended = (processId: string) =>
		eventually(
			() => launcher.read(processId).end,
			end => end !== null,
		);
	const output = (processId: string) => readFileSync(join(place.stateDir, 'runs', processId, 'stdout'), 'utf8');
	return {place, launcher, logger, prepare, ended, output};
}

/** The keeper in charge, once it has written its name. */
async function keeperPid(stateDir: string, before = 0): Promise<number> {
	return eventually(
		() => readKeeperIdentity(stateDir)?.pid ?? 0,
		pid => pid !== 0 && pid !== before && isAlive(pid),
	);
}

test('what was prepared and is launched runs, once', async t => {
	const {launcher, prepare, ended, output} = open(t);
	launcher.open();
	const processId = prepare('echo ran; exit 3');

	launcher.launch(processId);
	launcher.launch(processId);

	t.like(await ended(processId), {exitCode: 3});
	t.is(output(processId), 'ran\n');
	t.is(launcher.claim(processId).by, 'shim');
});

test('a command has the environment of the agent, and its own wins', async t => {
	const {launcher, prepare, ended, output} = open(t);
	launcher.open();
	const processId = prepare('echo "$FROM, $KEPT"', {FROM: 'the command'});

	launcher.launch(processId);
	await ended(processId);

	t.is(output(processId), 'the command, yes\n');
});

test('what was withdrawn never runs', async t => {
	const {launcher, prepare, ended} = open(t);
	launcher.open();
	const [withdrawn, other] = [prepare('echo ran'), prepare('echo ran')];

	t.true(launcher.withdraw(withdrawn));
	launcher.launch(withdrawn);
	launcher.launch(other);
	await ended(other);

	t.deepEqual(launcher.read(withdrawn), {start: null, end: null, stop: null, leftoverStop: null});
	t.false(launcher.withdraw(other));
});

test('whoever watches is told of records that change', async t => {
	const {launcher, prepare} = open(t);
	const changed = new Set<string>();
	t.true(launcher.watch(processId => changed.add(processId)));
	launcher.open();
	const processId = prepare('true');

	launcher.launch(processId);

	await eventually(() => changed.has(processId));
	t.pass();
});

test('where the keeper dies another takes over, and what the dead one had not begun still runs once', async t => {
	const {place, launcher, logger, prepare, ended, output} = open(t);
	launcher.open();
	const first = await keeperPid(place.stateDir);
	process.kill(first, 'SIGSTOP');
	const ids = Array.from({length: 5}, () => prepare('echo ran'));
	for (const processId of ids) {
		launcher.launch(processId);
	}

	process.kill(first, 'SIGKILL');
	await Promise.all(ids.map(ended));

	t.deepEqual(
		ids.map(output),
		ids.map(() => 'ran\n'),
	);
	t.not(await keeperPid(place.stateDir), first);
	t.like(logger.entries, [{level: 'warn', facts: {signal: 'SIGKILL'}}]);
});

test('the keeper that an earlier supervisor left is ended by the next one', async t => {
	const before = open(t);
	before.launcher.open();
	const processId = before.prepare('exec sleep 60');
	before.launcher.launch(processId);
	await eventually(() => before.launcher.read(processId).start !== null);
	const first = await keeperPid(before.place.stateDir);

	const next = open(t, before.place);
	next.launcher.open();

	await eventually(() => !isAlive(first));
	t.not(await keeperPid(before.place.stateDir, first), first);
	t.is(next.launcher.read(processId).end, null);
	findProcesses(`NOHUPD_PROCESS_ID=${processId}`).forEach(killQuietly);
	t.like(await next.ended(processId), {exitCode: 137});
});

test('after the close commands run on, and the keeper leaves when it holds no deadline', async t => {
	const {place, launcher, prepare, ended} = open(t);
	launcher.open();
	const processId = prepare('exec sleep 60');
	launcher.launch(processId);
	await eventually(() => launcher.read(processId).start !== null);
	const keeper = await keeperPid(place.stateDir);

	await launcher.close();
	await eventually(() => !isAlive(keeper));

	t.is(launcher.read(processId).end, null);
	findProcesses(`NOHUPD_PROCESS_ID=${processId}`).forEach(killQuietly);
	t.like(await ended(processId), {exitCode: 137});
});

test('what was prepared can be recalled, and discarded', t => {
	const {place, launcher, prepare} = open(t);
	const processId = prepare('true', {TOKEN: 'hunter2'});

	t.like(launcher.recall(processId), {processId, command: {line: 'true'}, state: {status: 'queued'}});
	t.deepEqual(launcher.listPrepared(), [processId]);

	launcher.discard(processId);
	t.is(launcher.recall(processId), null);
	t.deepEqual(launcher.listPrepared(), []);
	t.false(existsSync(join(place.stateDir, 'records', processId)));
});
