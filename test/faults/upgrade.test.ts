import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {chmodSync, cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import Sqlite from 'better-sqlite3';
import {findPrograms} from '../../lib/keeper/programs.js';
import {parseRecord} from '../../lib/keeper/record.js';
import {eventually} from '../helpers/eventually.js';
import {makeStateDir, openSupervisor} from '../helpers/state-dir.js';
import {readLines} from '../helpers/state-files.js';

// One for each version that was released, made by upgrade-fixture-program.ts.
const fixtures = new URL('../../../test/fixtures/', import.meta.url);
const fixture = fileURLToPath(new URL('state-0.1.0/', fixtures));

/** The text of a file with `{name}` replaced by what it stands for today. */
function fillIn(path: string, facts: Readonly<Record<string, string | number>>): string {
	return readFileSync(path, 'utf8').replaceAll(/\{(\w+)\}/g, (whole, name) => String(facts[name] ?? whole));
}

/** Ids of the fixture's processes by their names. */
const ids = Object.fromEntries(
	readdirSync(join(fixture, 'runs')).map(processId => {
		const [, json = ''] = readFileSync(join(fixture, 'runs', processId, 'spec'), 'utf8').split('\n');
		return [JSON.parse(json.slice(2)).command.name, processId];
	}),
) as {readonly done: string; readonly running: string; readonly queued: string};

/** The state directory as version 0.1.0 left it when it was killed: one command has ended, one runs, one waits. */
async function makeStateOfThen(t: ExecutionContext): Promise<string> {
	const stateDir = makeStateDir(t);
	cpSync(fixture, stateDir, {recursive: true});
	const {bash} = findPrograms();
	for (const processId of Object.values(ids)) {
		const path = join(stateDir, 'runs', processId, 'spec');
		writeFileSync(path, fillIn(path, {bash}));
	}

	const facts = await runWithKeeperOfThen(t, stateDir, bash);
	const database = new Sqlite(join(stateDir, 'nohupd.db'));
	database.exec(fillIn(join(stateDir, 'nohupd.sql'), facts));
	database.close();
	for (const name of ['nohupd.sql', 'keeper.sh']) {
		rmSync(join(stateDir, name));
	}

	closeToOthers(stateDir);
	return stateDir;
}

/** What runs has a shim of then, which outlives the upgrade. */
async function runWithKeeperOfThen(t: ExecutionContext, stateDir: string, bash: string) {
	const keeper = spawn(bash, ['--noprofile', '--norc', join(stateDir, 'keeper.sh'), stateDir], {
		detached: true,
		stdio: ['pipe', 'ignore', 'ignore'],
		env: {},
	});
	t.teardown(() => keeper.kill('SIGKILL'));
	const left = once(keeper, 'exit');
	keeper.stdin.end(`${ids.running}\n`);
	await eventually(() => readLines(join(stateDir, 'runs', ids.running, 'stdout')).includes('running'));
	await left;

	const {start} = parseRecord(readFileSync(join(stateDir, 'records', ids.running), 'latin1'));
	return {
		boot: String(start?.identity.bootId),
		pid: Number(start?.identity.pid),
		ticks: Number(start?.identity.startTicks),
		shim: Number(start?.shimPid),
		session: Number(start?.sessionId),
	};
}

/** Git keeps no such modes. */
function closeToOthers(stateDir: string): void {
	for (const name of ['.', ...readdirSync(stateDir, {recursive: true, encoding: 'utf8'})]) {
		const path = join(stateDir, name);
		chmodSync(path, statSync(path).isDirectory() ? 0o700 : 0o600);
	}
}

test('what version 0.1.0 left running and waiting is taken over, with all that it kept', async t => {
	const stateDir = await makeStateOfThen(t);

	const supervisor = await openSupervisor(t, {stateDir, maxRunning: 1});
	const {processes} = await supervisor.list();
	const repeated = await supervisor.start({command: 'echo done', name: 'done'}, {idempotencyKey: 'first'});
	const told: unknown[] = [];
	for await (const event of supervisor.events({after: 0})) {
		told.push([event.type, event.type === 'gap' ? null : event.process.processId]);
		if (told.length === 6) {
			break;
		}
	}

	t.deepEqual(
		processes.map(({processId, status, stdout, exitCode}) => ({processId, status, stdout, exitCode})),
		[
			{processId: ids.queued, status: 'queued', stdout: '', exitCode: null},
			{processId: ids.running, status: 'running', stdout: 'running\n', exitCode: null},
			{processId: ids.done, status: 'completed', stdout: 'done\n', exitCode: 0},
		],
	);
	t.is(repeated.processId, ids.done);
	t.deepEqual(told, [
		['queued', ids.done],
		['started', ids.done],
		['ended', ids.done],
		['queued', ids.running],
		['started', ids.running],
		['queued', ids.queued],
	]);

	await supervisor.signal(ids.running, 'SIGUSR1');
	await supervisor.wait(ids.queued);

	t.like(await supervisor.get(ids.running), {status: 'failed', exitCode: 7, stdout: 'running\nbye\n'});
	t.like(await supervisor.get(ids.queued), {status: 'completed', exitCode: 0, stdout: "ran it's me\n"});
});

/** What the next version has to understand. */
function formsIn(stateDir: string, database: Sqlite.Database, keeper: string): object {
	const [runs = ''] = readdirSync(join(stateDir, 'runs'));
	const specification = readFileSync(join(stateDir, 'runs', runs, 'spec'), 'utf8');
	const [mark = '', json = '', ...lines] = specification.split('\n');
	return {
		schema: database.prepare('SELECT name, sql FROM sqlite_schema ORDER BY name').all(),
		version: database.pragma('user_version', {simple: true}),
		mark: mark.replaceAll(/\d+/g, 'N'),
		process: Object.keys(JSON.parse(json.slice(2))),
		lines: lines.map(line => line.split(/[ =]/)[0]),
		keeper: readFileSync(keeper, 'utf8'),
	};
}

test('the fixture of this version is what this version writes', async t => {
	const {version} = JSON.parse(readFileSync(new URL('../../package.json', fixtures), 'utf8'));
	const kept = fileURLToPath(new URL(`state-${version}/`, fixtures));
	const supervisor = await openSupervisor(t, {containment: 'session'});
	const {stateDir} = supervisor;
	const {processId} = await supervisor.start({command: 'true'});
	await supervisor.wait(processId);
	await supervisor.close();
	const then = new Sqlite(':memory:');
	then.exec(readFileSync(join(kept, 'nohupd.sql'), 'utf8').replaceAll(/\{\w+\}/g, '1'));
	const now = new Sqlite(join(stateDir, 'nohupd.db'));

	t.deepEqual(
		formsIn(kept, then, join(kept, 'keeper.sh')),
		formsIn(stateDir, now, fileURLToPath(new URL('../../lib/keeper/keeper.sh', fixtures))),
	);

	now.close();
});
