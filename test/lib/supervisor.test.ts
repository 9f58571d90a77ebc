import test, {type ExecutionContext} from 'ava';
import {
	type CommandBody,
	CommandInvalidError,
	createSupervisor,
	IdempotencyConflictError,
	type PortOverrides,
	type Process,
	ProcessEndedError,
	ProcessNotFoundError,
	ProcessRunningError,
	QueryInvalidError,
	QueueFullError,
	ShuttingDownError,
	type SupervisorOptions,
	WaitAbortedError,
} from '../../lib/index.js';
import type {Start} from '../../lib/process.js';
import {aStart} from '../helpers/a-process.js';
import {FakeClock, settled} from '../helpers/fake-clock.js';
import {FakeLauncher} from '../helpers/fake-launcher.js';
import {FakeProcessTable} from '../helpers/fake-process-table.js';
import {FakeTerminator} from '../helpers/fake-terminator.js';
import {makeStateDir, openSupervisor} from '../helpers/state-dir.js';
import {wrap} from '../helpers/wrap.js';

/** A supervisor whose outside world the test plays. What is launched begins at once, unless the test says otherwise. */
async function open(
	t: ExecutionContext,
	options: Partial<SupervisorOptions> = {},
	store: NonNullable<PortOverrides['store']> = original => original,
) {
	const clock = new FakeClock();
	const launcher = new FakeLauncher();
	const terminator = new FakeTerminator(clock);
	const processTable = new FakeProcessTable();
	const supervisor = await createSupervisor({
		stateDir: makeStateDir(t),
		ports: {
			clock: () => clock,
			launcher: () => launcher,
			terminator: () => terminator,
			processTable: () => processTable,
			store,
		},
		...options,
	});
	t.teardown(() => supervisor.close());
	const begin = (processId: string): void => {
		const start: Start = {...aStart, identity: {...aStart.identity, startTicks: clock.uptimeMs() / 10}};
		launcher.writeStart(processId, start);
		launcher.onChange(processId);
	};
	const end = async (processId: string, exitCode = 0): Promise<void> => {
		launcher.writeEnd(processId, {exitCode});
		launcher.onChange(processId);
		await settled();
	};
	const world = {clock, launcher, terminator, processTable, supervisor, begin, end, beginsAtOnce: true};
	launcher.launch = processId => {
		launcher.launched.push(processId);
		if (world.beginsAtOnce) {
			begin(processId);
		}
	};
	terminator.onKill = processId => {
		if (launcher.read(processId).end === null) {
			launcher.writeEnd(processId, {exitCode: 137});
		}
	};
	return world;
}

test('a command runs, and its output and exit code are there afterwards', async t => {
	const supervisor = await openSupervisor(t);

	const {processId, status} = await supervisor.start({command: 'echo out; echo err >&2; exit 3', name: 'three'});
	await supervisor.wait(processId);

	t.is(status, 'running');
	t.like(await supervisor.get(processId), {
		name: 'three',
		status: 'failed',
		reason: 'exited',
		exitCode: 3,
		signal: null,
		stdout: 'out\n',
		stderr: 'err\n',
	});
});

test('a refused command is named in the spelling it came in', async t => {
	const {supervisor, launcher} = await open(t);

	await t.throwsAsync(supervisor.start({command: 'ls', timeoutMs: -1}), {
		instanceOf: CommandInvalidError,
		message: /^timeoutMs must be/,
	});
	await t.throwsAsync(supervisor.startBody({command: 'ls', timeout: -1} satisfies CommandBody), {
		instanceOf: CommandInvalidError,
		message: /^timeout must be/,
	});

	t.deepEqual([(await supervisor.list()).processes, launcher.listPrepared()], [[], []]);
});

test('one above the limit waits, and runs when another has ended', async t => {
	const {supervisor, launcher, end} = await open(t, {maxRunning: 1});
	const first = await supervisor.start({command: 'first'});
	const second = await supervisor.start({command: 'second'});
	t.deepEqual([first.status, second.status], ['running', 'queued']);
	t.like(supervisor.state(), {running: 1, queued: 1});

	await end(first.processId);
	await settled();

	t.deepEqual(launcher.launched, [first.processId, second.processId]);
	t.is((await supervisor.get(second.processId)).status, 'running');
});

test('a full queue refuses one more, and nothing of it is left', async t => {
	const {supervisor, launcher} = await open(t, {maxRunning: 1, maxQueued: 0});
	await supervisor.start({command: 'first'});

	await t.throwsAsync(supervisor.start({command: 'second'}), {instanceOf: QueueFullError});

	t.is(launcher.listPrepared().length, 1);
	t.is((await supervisor.list()).processes.length, 1);
});

test('the timeout of one that waits begins when it runs', async t => {
	const {supervisor, clock, end, terminator} = await open(t, {maxRunning: 1, gracePeriodMs: 0});
	const first = await supervisor.start({command: 'first', timeoutMs: 0});
	const second = await supervisor.start({command: 'second', timeoutMs: 1000});
	await clock.advance(10_000);
	await end(first.processId);
	await settled();

	await clock.advance(999);
	t.deepEqual(terminator.sent, []);

	await clock.advance(200);
	t.deepEqual(terminator.sent, [`SIGKILL ${second.processId} +11.0`]);
	t.like(await supervisor.get(second.processId), {status: 'killed', reason: 'timeout'});
});

test('one that is killed while it waits never runs', async t => {
	const {supervisor, launcher, end, terminator} = await open(t, {maxRunning: 1});
	const first = await supervisor.start({command: 'first'});
	const {processId} = await supervisor.start({command: 'second'});

	const killed = await supervisor.kill(processId);
	await end(first.processId);

	t.like(killed, {status: 'killed', reason: 'request', startedAt: null, exitCode: null});
	t.deepEqual(launcher.launched, [first.processId]);
	t.deepEqual(terminator.sent, []);
});

test('a kill that could not be committed, on a full disk for instance, can be asked for again', async t => {
	let isFull = false;
	const {supervisor, launcher} = await open(t, {maxRunning: 1}, store =>
		wrap(store, {
			apply: changes => {
				if (isFull) {
					throw new Error('database or disk is full');
				}

				return store.apply(changes);
			},
		}),
	);
	await supervisor.start({command: 'first'});
	const {processId} = await supervisor.start({command: 'second'});
	isFull = true;
	await t.throwsAsync(supervisor.kill(processId), {message: /full/});

	isFull = false;

	t.like(await supervisor.kill(processId), {status: 'killed', reason: 'request', startedAt: null});
	t.is(launcher.launched.length, 1);
});

test('one that is killed on its way, when its shim was first, is ended as soon as it runs', async t => {
	const world = await open(t);
	world.beginsAtOnce = false;
	const started = world.supervisor.start({command: 'slow'});
	await settled();
	const [processId = ''] = world.launcher.launched;
	world.launcher.takeClaim(processId);

	const killed = world.supervisor.kill(processId, {gracePeriodMs: 0});
	await settled();
	t.deepEqual(world.terminator.sent, []);

	world.begin(processId);
	await world.clock.advance(0);
	t.like(await killed, {status: 'killed', exitCode: 137});
	t.is((await started).processId, processId);
});

test('a kill grants the grace period that was asked for, else that of the settings', async t => {
	const {supervisor, clock, terminator} = await open(t, {gracePeriodMs: 2000});
	const [a, b] = [await supervisor.start({command: 'a'}), await supervisor.start({command: 'b'})];

	const kills = [supervisor.kill(a.processId), supervisor.kill(b.processId, {gracePeriodMs: 1000})];
	await clock.advance(3000);
	await Promise.all(kills);

	t.deepEqual(terminator.sent.slice(2), [`SIGKILL ${b.processId} +1.0`, `SIGKILL ${a.processId} +2.0`]);
});

test('a second kill of what was killed has the same answer at once, and sends nothing', async t => {
	const {supervisor, clock, terminator} = await open(t);
	const {processId} = await supervisor.start({command: 'a'});
	const first = supervisor.kill(processId, {gracePeriodMs: 0});
	await clock.advance(0);

	t.deepEqual(await supervisor.kill(processId), await first);
	t.is(terminator.sent.length, 1);
});

test('what ended by itself cannot be killed', async t => {
	const {supervisor, end, terminator} = await open(t);
	const {processId} = await supervisor.start({command: 'a'});
	await end(processId);

	const error = await t.throwsAsync(supervisor.kill(processId), {instanceOf: ProcessEndedError});

	t.regex(error.message, /^No process with id .+ is running: it has ended by itself$/);
	t.deepEqual(terminator.sent, []);
});

test('nor can what has just ended by itself, before anybody was told', async t => {
	const {supervisor, launcher, terminator} = await open(t);
	const {processId} = await supervisor.start({command: 'a'});
	launcher.writeEnd(processId);

	await t.throwsAsync(supervisor.kill(processId), {instanceOf: ProcessEndedError});

	t.deepEqual(terminator.sent, []);
});

test('a signal to what does not run is refused with what is true of it', async t => {
	const {supervisor, clock, end} = await open(t, {maxRunning: 1, gracePeriodMs: 0});
	const first = await supervisor.start({command: 'first', timeoutMs: 1000});
	const queued = await supervisor.start({command: 'second', timeoutMs: 0});
	const signalled = async ({processId}: Process) =>
		(await t.throwsAsync(supervisor.signal(processId, 'SIGHUP'), {instanceOf: ProcessEndedError}))?.why;

	t.is(await signalled(queued), 'queued');
	await clock.advance(1000);
	t.is(await signalled(first), 'timeout');
	const third = await supervisor.start({command: 'third', timeoutMs: 0});
	await supervisor.kill(third.processId);
	t.is(await signalled(third), 'request');
	await end(queued.processId);
	t.is(await signalled(queued), 'exited');
});

test('what nobody knows can be neither shown, killed nor waited for', async t => {
	const {supervisor} = await open(t);
	const asks = [
		supervisor.get('proc_x'),
		supervisor.kill('proc_x'),
		supervisor.wait('proc_x'),
		supervisor.forget('proc_x'),
	];
	for (const ask of asks) {
		await t.throwsAsync(ask, {instanceOf: ProcessNotFoundError, message: 'No process with id proc_x'});
	}
});

test('a process whose time is over is ended, for that reason', async t => {
	const {supervisor, clock, terminator} = await open(t);
	const {processId} = await supervisor.start({command: 'a', timeoutMs: 60_000});
	const stopping: string[] = [];
	supervisor.on('stopping', ({why, process}) => stopping.push(`${why} ${process.status}`));

	await clock.advance(65_200);

	t.deepEqual(terminator.sent, [`SIGTERM ${processId} +60.0`, `SIGKILL ${processId} +65.0`]);
	t.deepEqual(stopping, ['timeout running']);
	t.like(await supervisor.wait(processId), {status: 'killed', reason: 'timeout', exitCode: 137});
});

test('a process that ended in time was not ended by its timeout, however late anybody looks', async t => {
	const {supervisor, clock, launcher, terminator} = await open(t);
	const {processId} = await supervisor.start({command: 'a', timeoutMs: 60_000});
	launcher.writeEnd(processId, {exitCode: 0});

	await clock.advance(70_000);

	t.deepEqual(terminator.sent, []);
	t.like(await supervisor.get(processId), {status: 'completed', reason: 'exited'});
});

test('a wait settles with the end, whatever the exit code', async t => {
	const {supervisor, end} = await open(t);
	const {processId} = await supervisor.start({command: 'a'});
	const waits = [supervisor.wait(processId), supervisor.wait(processId)];

	await end(processId, 3);

	for (const process of [...(await Promise.all(waits)), await supervisor.wait(processId)]) {
		t.like(process, {processId, status: 'failed', exitCode: 3});
	}
});

test('a wait can be given up; the process is not touched', async t => {
	const {supervisor, terminator} = await open(t);
	const {processId} = await supervisor.start({command: 'a'});
	const reason = new Error('enough');
	const controller = new AbortController();
	const wait = supervisor.wait(processId, {signal: controller.signal});

	controller.abort(reason);

	const error = await t.throwsAsync(wait, {instanceOf: WaitAbortedError});
	t.like(error, {processId, cause: reason});
	await t.throwsAsync(supervisor.wait(processId, {signal: controller.signal}), {instanceOf: WaitAbortedError});
	t.deepEqual([terminator.sent, supervisor.state().running], [[], 1]);
});

test('ten starts at once with one key start one process', async t => {
	const {supervisor, launcher} = await open(t);
	const starts = Array.from({length: 10}, () => supervisor.start({command: 'a'}, {idempotencyKey: 'k'}));

	const ids = (await Promise.all(starts)).map(({processId}) => processId);

	t.is(new Set(ids).size, 1);
	t.is(launcher.launched.length, 1);
});

test('a key that was used for another command is a conflict', async t => {
	const {supervisor, launcher} = await open(t);
	const {processId} = await supervisor.start({command: 'a'}, {idempotencyKey: 'k'});

	const error = await t.throwsAsync(supervisor.start({command: 'b'}, {idempotencyKey: 'k'}), {
		instanceOf: IdempotencyConflictError,
	});

	t.like(error, {idempotencyKey: 'k', processId});
	t.is(launcher.launched.length, 1);
});

test('a start that is repeated is answered also where it could not begin any more', async t => {
	let problem: string | null = null;
	const supervisor = await openSupervisor(t, {
		ports: {host: host => wrap(host, {problemWithDirectory: () => problem})},
	});
	const {processId} = await supervisor.start({command: 'true'}, {idempotencyKey: 'k'});
	await supervisor.wait(processId);
	problem = 'does not exist';

	t.like(await supervisor.start({command: 'true'}, {idempotencyKey: 'k'}), {processId, status: 'completed'});
	await t.throwsAsync(supervisor.start({command: 'true'}), {instanceOf: CommandInvalidError});
});

test('events tell the way of a process, until the listener is taken off', async t => {
	const {supervisor, clock} = await open(t);
	const told: string[] = [];
	const listener = ({process}: {process: {status: string}}) => told.push(process.status);
	const same = supervisor.on('queued', listener).on('started', listener).on('stopping', listener).on('ended', listener);
	const {processId} = await supervisor.start({command: 'a'});
	const killed = supervisor.kill(processId, {gracePeriodMs: 0});
	await clock.advance(0);
	await killed;

	supervisor.off('queued', listener).off('started', listener);
	await supervisor.start({command: 'b'});

	t.is(same, supervisor);
	t.deepEqual(told, ['queued', 'running', 'running', 'killed']);
});

test('what has ended can be forgotten: nobody knows it then, and its key is free', async t => {
	const {supervisor, launcher, end} = await open(t);
	const {processId} = await supervisor.start({command: 'a'}, {idempotencyKey: 'k'});
	await end(processId, 3);

	const forgotten = await supervisor.forget(processId);

	t.like(forgotten, {processId, status: 'failed', exitCode: 3});
	await t.throwsAsync(supervisor.get(processId), {instanceOf: ProcessNotFoundError});
	await t.throwsAsync(supervisor.forget(processId), {instanceOf: ProcessNotFoundError});
	t.deepEqual([(await supervisor.list()).processes, launcher.listPrepared()], [[], []]);
	t.not((await supervisor.start({command: 'b'}, {idempotencyKey: 'k'})).processId, processId);
});

test('what has just ended can be forgotten before anybody was told', async t => {
	const {supervisor, launcher} = await open(t);
	const {processId} = await supervisor.start({command: 'a'});
	launcher.writeEnd(processId);

	t.like(await supervisor.forget(processId), {status: 'completed'});
});

test('what waits or runs cannot be forgotten, nor what left something behind', async t => {
	const {supervisor, terminator, launcher, end} = await open(t, {maxRunning: 1});
	const {processId} = await supervisor.start({command: 'a'});
	const waiting = await supervisor.start({command: 'b'});

	for (const id of [processId, waiting.processId]) {
		const error = await t.throwsAsync(supervisor.forget(id), {instanceOf: ProcessRunningError});
		t.like(error, {processId: id, hasEnded: false});
	}

	terminator.leftover.set(processId, 1);
	await end(processId);
	t.like(await t.throwsAsync(supervisor.forget(processId), {instanceOf: ProcessRunningError}), {hasEnded: true});
	t.is(launcher.listPrepared().length, 2);
	terminator.leave(processId);
	t.like(await supervisor.forget(processId), {processId});
});

test('events can be iterated: those that were, and those that come, until the close', async t => {
	const {supervisor, end} = await open(t);
	const {processId} = await supervisor.start({command: 'a'});
	const told: string[] = [];
	const done = (async () => {
		for await (const item of supervisor.events({after: 0})) {
			told.push(`${item.type === 'gap' ? '' : item.sequence} ${item.type}`);
		}
	})();
	await settled();

	await end(processId);
	await supervisor.close();
	await done;

	t.deepEqual(told, ['1 queued', '2 started', '3 ended']);
});

test('events of a process that nobody knows are refused; of one that was forgotten, they tell so', async t => {
	const {supervisor, end} = await open(t);
	const {processId} = await supervisor.start({command: 'a'}, {owner: 'alice'});
	await end(processId);
	await supervisor.forget(processId);
	const first = async (owner?: string) => (await supervisor.events({after: 0, processId, owner}).next()).value?.type;

	t.throws(() => supervisor.events({processId: 'proc_nobody'}), {instanceOf: ProcessNotFoundError});
	t.throws(() => supervisor.events({processId, owner: 'bob'}), {instanceOf: ProcessNotFoundError});
	t.is(await first(), 'gap');
	t.is(await first('alice'), 'gap');
});

test('what a wait does not know is refused, and so is a listener that would never be called', async t => {
	const {supervisor} = await open(t);
	const {processId} = await supervisor.start({command: 'a', ready: {log: 'x'}});
	const options = {timeoutMs: 50} as object;

	for (const wait of [supervisor.wait(processId, options), supervisor.ready(processId, options)]) {
		await t.throwsAsync(wait, {
			instanceOf: QueryInvalidError,
			message: 'timeoutMs is not known here; known are signal',
		});
	}

	t.throws(() => supervisor.on('bogus' as 'ended', () => undefined), {
		instanceOf: QueryInvalidError,
		message: 'type must be one of queued, started, ready, stopping, ended, forgotten; got "bogus"',
	});
});

const refusesEvents = test.macro({
	async exec(t: ExecutionContext, options: object, message: string) {
		const {supervisor} = await open(t);

		const error = t.throws(() => supervisor.events(options), {instanceOf: QueryInvalidError});

		t.true(error.message.startsWith(message), error.message);
	},
	title: (_, options) => `events with wrong options are refused: ${JSON.stringify(options)}`,
});

test(refusesEvents, {after: -1}, 'after must be a whole number');
test(refusesEvents, {after: '5'}, 'after must be a whole number');
test(refusesEvents, {processId: 5}, 'processId must be a string');
test(refusesEvents, {types: 'ended'}, 'types must be an array');
test(refusesEvents, {types: ['ended', 'output']}, 'types.1 must be');
test(refusesEvents, {signal: 'stop'}, 'signal must be an AbortSignal');
test(refusesEvents, {since: 5}, 'since is not known here');

test('a closed supervisor lets go of the keeper, signals nobody, and refuses everything', async t => {
	const {supervisor, launcher, terminator, processTable, clock} = await open(t);
	const {processId} = await supervisor.start({command: 'a'});
	t.true(launcher.isOpen);
	const wait = t.throwsAsync(supervisor.wait(processId), {
		instanceOf: ShuttingDownError,
		message: 'The supervisor is shutting down; commands that run go on',
	});

	await supervisor.close();
	await supervisor.close();

	await wait;
	t.false(launcher.isOpen);
	t.deepEqual([terminator.sent, processTable.signals, clock.timers], [[], [], 0]);
	t.true(supervisor.state().isClosing);
	for (const ask of [
		supervisor.start({command: 'a'}),
		supervisor.startBody({command: 'a'}),
		supervisor.get(processId),
		supervisor.list(),
		supervisor.kill(processId),
		supervisor.wait(processId),
		supervisor.forget(processId),
	]) {
		await t.throwsAsync(ask, {instanceOf: ShuttingDownError});
	}

	t.throws(() => supervisor.events(), {instanceOf: ShuttingDownError});
});

test('a start that is under way at the close is answered: it was accepted', async t => {
	const world = await open(t);
	world.beginsAtOnce = false;
	const started = world.supervisor.start({command: 'slow'});
	await settled();

	await world.supervisor.close();

	t.like(await started, {status: 'queued'});
});
