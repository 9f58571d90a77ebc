import test, {type ExecutionContext} from 'ava';
import type {Change, Launcher, Process, ProcessStore} from '../../lib/index.js';
import {eventually} from '../helpers/eventually.js';
import {makeStateDir, openSupervisor} from '../helpers/state-dir.js';
import {besides, readLines} from '../helpers/state-files.js';
import {wrap} from '../helpers/wrap.js';

const diskFull = () => new Error('SQLITE_FULL: database or disk is full');

/** A supervisor whose store fails at the first tries to write what `isAffected` says. */
async function withFailingStore(t: ExecutionContext, isAffected: (change: Change) => boolean, failures = 2) {
	let left = failures;
	const failed = () => left === 0;
	const store = (original: ProcessStore) =>
		wrap(original, {
			apply(changes) {
				if (left > 0 && changes.some(isAffected)) {
					left--;
					throw diskFull();
				}

				return original.apply(changes);
			},
		});
	return {supervisor: await openSupervisor(t, {ports: {store}}), failed};
}

test('15: an end that the store does not take at first is written later, and the host lives', async t => {
	const {supervisor, failed} = await withFailingStore(t, ({event}) => event === 'ended');

	const {processId} = await supervisor.start({command: 'sleep 0.1; echo out; exit 3'});
	const ended = await supervisor.wait(processId);

	t.true(failed());
	t.like(ended, {status: 'failed', exitCode: 3});
});

test('15: a timeout that the store does not take at first is held later, and the host lives', async t => {
	const {supervisor, failed} = await withFailingStore(t, ({event}) => event === 'stopping', 1);

	const {processId} = await supervisor.start({command: 'sleep', args: ['60'], timeoutMs: 300});
	const ended = await supervisor.wait(processId);

	t.true(failed());
	t.like(ended, {status: 'killed', reason: 'timeout'});
});

test('15: a timeout whose end the store does not take at first is never stuck', async t => {
	const {supervisor, failed} = await withFailingStore(t, ({event}) => event === 'ended');

	const stored: Process[] = [];
	supervisor.on('ended', ({process}) => stored.push(process));
	const {processId} = await supervisor.start({command: 'sleep', args: ['60'], timeoutMs: 300});
	const ended = await supervisor.wait(processId);
	await eventually(() => stored.length > 0);

	t.true(failed());
	t.like(ended, {status: 'killed', reason: 'timeout', exitCode: 143});
	t.deepEqual(stored, [ended]);
});

test('15: a timeout that the store never took is told as one also after a restart', async t => {
	const {supervisor} = await withFailingStore(t, ({event}) => event === 'stopping' || event === 'ended', Infinity);
	const {processId} = await supervisor.start({command: 'sleep', args: ['60'], timeoutMs: 300});
	await eventually(
		() => supervisor.get(processId),
		({reason}) => reason === 'timeout',
	);

	await supervisor.close();
	const next = await openSupervisor(t, {stateDir: supervisor.stateDir});

	t.like(await next.wait(processId), {status: 'killed', reason: 'timeout', exitCode: 143});
});

test('15: a kill is carried out where nothing can be stored, and stored later as what it was', async t => {
	const {supervisor, failed} = await withFailingStore(t, ({event}) => event === 'stopping' || event === 'ended', 3);
	const {processId} = await supervisor.start({command: 'sleep', args: ['60']});

	const stored: Process[] = [];
	supervisor.on('ended', ({process}) => stored.push(process));

	const waiting = supervisor.wait(processId);

	const killed = await supervisor.kill(processId);
	const waited = await waiting;
	const storedByThen = stored.length;
	const again = await supervisor.kill(processId);
	const shown = await supervisor.get(processId);
	const listed = await supervisor.list();
	await eventually(() => stored.length > 0);

	t.true(failed());
	t.is(storedByThen, 0);
	t.like(killed, {status: 'killed', reason: 'request', exitCode: 143});
	t.deepEqual(waited, killed);
	t.deepEqual(again, killed);
	t.like(shown, killed);
	t.like(listed.processes[0], killed);
	t.deepEqual(stored, [killed]);
});

test('15: a kill of a queued command that the store does not take can be repeated, and the command never runs', async t => {
	let left = 1;
	const store = (original: ProcessStore) =>
		wrap(original, {
			apply(changes) {
				if (changes.some(({event, record}) => event === 'ended' && record.command.name === 'victim') && left-- > 0) {
					throw diskFull();
				}

				return original.apply(changes);
			},
		});
	const supervisor = await openSupervisor(t, {maxRunning: 1, ports: {store}});
	const runs = besides(supervisor.stateDir, 'runs');
	await supervisor.start({command: 'sleep 60'});
	const {processId} = await supervisor.start({command: `echo ran >>'${runs}'`, name: 'victim'});

	await t.throwsAsync(supervisor.kill(processId), {message: /disk is full/});

	t.like(await supervisor.kill(processId), {status: 'killed', reason: 'request', startedAt: null});
	t.deepEqual(readLines(runs), []);
});

test('15: a start that the store does not take leaves nothing behind', async t => {
	const store = (original: ProcessStore) =>
		wrap(original, {
			insert() {
				throw diskFull();
			},
		});
	const supervisor = await openSupervisor(t, {ports: {store}});
	const runs = besides(supervisor.stateDir, 'runs');

	await t.throwsAsync(supervisor.start({command: `echo ran >>'${runs}'`}), {message: /disk is full/});

	t.deepEqual((await supervisor.list()).processes, []);
	t.like(supervisor.state(), {running: 0, queued: 0, isClosing: false});
	t.deepEqual(readLines(runs), []);
});

test('attack: run directories that cannot be listed are logged, and the host lives', async t => {
	const stateDir = makeStateDir(t);
	await (await openSupervisor(t, {stateDir})).close();
	const logged: string[] = [];
	const note = (_: object, message: string) => void logged.push(message);
	const launcher = (original: Launcher) =>
		wrap(original, {
			listPrepared() {
				throw new Error('EIO');
			},
		});

	const supervisor = await openSupervisor(t, {
		stateDir,
		ports: {launcher},
		logger: {debug: note, info: note, warn: note, error: note},
	});
	const {processId} = await supervisor.start({command: 'true'});

	t.like(await supervisor.wait(processId), {status: 'completed'});
	t.true(logged.length > 0);
});

test('attack: a supervisor that cannot open lets go of its state directory', async t => {
	const stateDir = makeStateDir(t);
	const launcher = (original: Launcher) =>
		wrap(original, {
			open() {
				throw new Error('EAGAIN');
			},
		});

	await t.throwsAsync(openSupervisor(t, {stateDir, ports: {launcher}}), {message: 'EAGAIN'});

	await t.notThrowsAsync(openSupervisor(t, {stateDir}));
});
