import {spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import Sqlite from 'better-sqlite3';
import {compose} from '../../lib/compose.js';
import {createSupervisor, type PortOverrides} from '../../lib/index.js';
import {SchemaTooNewError, SettingsInvalidError} from '../../lib/opening-errors.js';
import {ProcessSupervisor} from '../../lib/supervisor.js';
import {container, Tokens} from '../../lib/tokens.js';
import {makeStateDir, openSupervisor} from '../helpers/state-dir.js';
import {wrap} from '../helpers/wrap.js';

test('two supervisors in one program know nothing of each other', async t => {
	const [first, second] = [await openSupervisor(t), await openSupervisor(t)];
	const told: string[] = [];
	first.on('ended', ({process}) => told.push(`first: ${process.name}`));
	second.on('ended', ({process}) => told.push(`second: ${process.name}`));

	const {processId} = await first.start({command: 'true', name: 'a'});
	await first.wait(processId);

	t.deepEqual(told, ['first: a']);
	t.deepEqual((await second.list()).processes, []);
	await t.throwsAsync(second.get(processId), {message: `No process with id ${processId}`});
});

test('one supervisor goes on when another one of the same program is closed', async t => {
	const [first, second] = [await openSupervisor(t), await openSupervisor(t)];
	const {processId} = await second.start({command: 'read -t 60 <> <(:)'});

	await first.close();

	t.like(await second.kill(processId, {gracePeriodMs: 0}), {status: 'killed'});
});

test('a supervisor is built of parts of its own, each once', t => {
	const composed = [compose({stateDir: makeStateDir(t)}), compose({stateDir: makeStateDir(t)})];

	const [[a, again], [b]] = composed.map(child => [child.resolve(Tokens.clock), child.resolve(Tokens.clock)]) as [
		[object, object],
		[object, object],
	];
	const supervisors = composed.map(child => child.resolve(ProcessSupervisor));

	t.is(a, again);
	t.not(a, b);
	t.not(supervisors[0], supervisors[1]);
	for (const child of composed) {
		child.resolve(Tokens.store).close();
		child.resolve(Tokens.ownerLock).release();
	}
});

test('the container of whoever embeds us is not touched, and resetting it does not touch us', async t => {
	container.registerInstance('theirs', 'value');
	const before = await openSupervisor(t);
	t.is(container.resolve('theirs'), 'value');
	t.false(container.isRegistered(Tokens.store));

	container.reset();
	const after = await openSupervisor(t);

	for (const supervisor of [before, after]) {
		const {processId} = await supervisor.start({command: 'exit 3'});
		t.like(await supervisor.wait(processId), {exitCode: 3});
	}
});

test('every port can be replaced, by one that is given the original', async t => {
	const originals: string[] = [];
	const noting = <T extends object>(original: T): T => {
		originals.push(original.constructor.name);
		return wrap(original, {});
	};
	const ports: PortOverrides = {
		clock: noting,
		disk: noting,
		host: noting,
		launcher: noting,
		output: noting,
		processTable: noting,
		store: noting,
		terminator: noting,
	};

	const supervisor = await openSupervisor(t, {ports});
	const {processId} = await supervisor.start({command: 'echo out'});

	t.like(await supervisor.wait(processId), {status: 'completed'});
	t.like(await supervisor.get(processId), {stdout: 'out\n'});
	t.deepEqual(originals.sort(), [
		'EmbeddingHost',
		'FileOutputLog',
		'KeeperLauncher',
		'ProcfsTable',
		'SqliteProcessStore',
		'SystemClock',
		'SystemDisk',
		'TreeTerminator',
	]);
});

const none = {text: '', totalBytes: 0, baseOffset: 0};

test('what a replaced port says counts', async t => {
	const supervisor = await openSupervisor(t, {
		ports: {
			host: host => wrap(host, {environment: () => new Map([['FROM', 'the test']])}),
			output: output => wrap(output, {tail: () => ({stdout: {...none, text: 'mine', totalBytes: 4}, stderr: none})}),
		},
	});

	const {processId} = await supervisor.start({command: '[ "$FROM" = "the test" ]'});

	t.like(await supervisor.wait(processId), {exitCode: 0});
	t.like(await supervisor.get(processId), {stdout: 'mine'});
});

test('a setting that makes no sense leaves no state directory', async t => {
	const stateDir = makeStateDir(t);

	await t.throwsAsync(createSupervisor({stateDir, maxQueued: -1}), {instanceOf: SettingsInvalidError});

	t.false(existsSync(stateDir));
});

test('a supervisor that could not be composed holds nothing: the next one can', async t => {
	const stateDir = makeStateDir(t);
	await (await createSupervisor({stateDir})).close();
	const setVersion = (version: number) => {
		const database = new Sqlite(join(stateDir, 'nohupd.db'));
		const before = database.pragma('user_version', {simple: true});
		database.pragma(`user_version = ${version}`);
		database.close();
		return Number(before);
	};
	const known = setVersion(1000);

	await t.throwsAsync(createSupervisor({stateDir}), {instanceOf: SchemaTooNewError});

	setVersion(known);
	const supervisor = await createSupervisor({stateDir});
	await t.notThrowsAsync(supervisor.close());
});

test('a supervisor that could not be opened holds nothing either', async t => {
	const stateDir = makeStateDir(t);
	mkdirSync(stateDir, {mode: 0o700});
	writeFileSync(join(stateDir, 'records'), 'in the way');

	await t.throwsAsync(createSupervisor({stateDir}), {message: /EEXIST/});

	rmSync(join(stateDir, 'records'));
	const supervisor = await createSupervisor({stateDir});
	await t.notThrowsAsync(supervisor.close());
});

test('nor does one whose replaced port throws', async t => {
	const stateDir = makeStateDir(t);
	const ports: PortOverrides = {
		terminator: () => {
			throw new Error('mine');
		},
	};

	await t.throwsAsync(createSupervisor({stateDir, ports}), {message: /mine/});

	const supervisor = await createSupervisor({stateDir});
	await t.notThrowsAsync(supervisor.close());
});

test('require() gets the library too', t => {
	const program = `process.stdout.write(typeof require('nohupd').createSupervisor)`;

	const {stdout, stderr} = spawnSync(
		process.execPath,
		['--no-warnings', '--experimental-require-module', '-e', program],
		{encoding: 'utf8'},
	);

	t.deepEqual({stdout, stderr}, {stdout: 'function', stderr: ''});
});
