import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdirSync, rmdirSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {StateDirInUseError} from '../../../lib/opening-errors.js';
import {takeOwnership} from '../../../lib/sqlite/owner-lock.js';
import {makeTempDir} from '../../helpers/temp-dir.js';

const program = `
	const {takeOwnership} = await import(${JSON.stringify(new URL('../../../lib/sqlite/owner-lock.js', import.meta.url))});
	try {
		// A lock that nobody knows of is let go of when memory is collected.
		globalThis.lock = takeOwnership(process.argv[1]);
		process.stdout.write('taken');
		setInterval(() => undefined, 1000);
	} catch (error) {
		process.stdout.write(error.message);
	}
`;

/** Another program that wants the directory; says whether it got it. */
async function ask(t: ExecutionContext, stateDir: string): Promise<{answer: string; child: ChildProcess}> {
	const child = spawn(process.execPath, ['--input-type=module', '-e', program, stateDir], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	t.teardown(() => child.kill('SIGKILL'));
	const [answer] = await once(child.stdout, 'data');
	return {answer: String(answer), child};
}

test('a state directory has one owner, whose pid the next one is told', t => {
	const stateDir = makeTempDir(t);
	const lock = takeOwnership(stateDir);

	const error = t.throws(() => takeOwnership(stateDir), {instanceOf: StateDirInUseError});

	t.like(error, {stateDir, ownerPid: process.pid});
	lock.release();
});

test('one that was released can be taken again', t => {
	const stateDir = makeTempDir(t);

	takeOwnership(stateDir).release();

	t.notThrows(() => takeOwnership(stateDir).release());
});

test('two directories have two owners', t => {
	const locks = [takeOwnership(makeTempDir(t)), takeOwnership(makeTempDir(t))];

	t.is(locks.length, 2);
	for (const lock of locks) {
		lock.release();
	}
});

test('another program is refused, also after one of this program was', async t => {
	const stateDir = makeTempDir(t);
	const lock = takeOwnership(stateDir);
	t.throws(() => takeOwnership(stateDir), {instanceOf: StateDirInUseError});

	const {answer} = await ask(t, stateDir);

	t.is(answer, `The state directory ${stateDir} is in use by another supervisor, pid ${process.pid}`);
	lock.release();
});

test('the kernel lets go of it when the owner is killed', async t => {
	const stateDir = makeTempDir(t);
	const {answer, child} = await ask(t, stateDir);
	t.is(answer, 'taken');
	t.like(
		t.throws(() => takeOwnership(stateDir), {instanceOf: StateDirInUseError}),
		{ownerPid: child.pid},
	);

	child.kill('SIGKILL');
	await once(child, 'exit');

	t.notThrows(() => takeOwnership(stateDir).release());
});

test('an owner that has not yet said who it is has no pid', t => {
	const stateDir = makeTempDir(t);
	const lock = takeOwnership(stateDir);
	writeFileSync(join(stateDir, 'owner'), '');

	const error = t.throws(() => takeOwnership(stateDir), {instanceOf: StateDirInUseError});

	t.is(error.ownerPid, null);
	t.is(error.message, `The state directory ${stateDir} is in use by another supervisor`);
	lock.release();
});

test('where the owner cannot say who it is, it does not keep the directory', t => {
	const stateDir = makeTempDir(t);
	mkdirSync(join(stateDir, 'owner'));
	t.throws(() => takeOwnership(stateDir), {code: 'EISDIR'});

	rmdirSync(join(stateDir, 'owner'));

	t.notThrows(() => takeOwnership(stateDir).release());
});

test('its files are readable by nobody else', t => {
	const stateDir = makeTempDir(t);
	const umask = process.umask(0);
	const lock = takeOwnership(stateDir);
	process.umask(umask);

	t.deepEqual(
		['lock', 'owner'].map(name => (statSync(join(stateDir, name)).mode & 0o777).toString(8)),
		['600', '600'],
	);
	lock.release();
});
