import test from 'ava';
import type {ParsedCommand} from '../../lib/command.js';
import {IdempotencyConflictError, QueueFullError, StorageFullError} from '../../lib/errors.js';
import type {Host} from '../../lib/index.js';
import {fingerprint, Intake} from '../../lib/intake.js';
import type {Process} from '../../lib/process-view.js';
import type {Settings} from '../../lib/settings.js';
import {aCommand, anEndedProcess} from '../helpers/a-process.js';
import {settled} from '../helpers/fake-clock.js';
import {Parts} from '../helpers/parts.js';

const host: Host = {
	environment: () => new Map(),
	problemWithDirectory: path => (path === '/nowhere' ? 'does not exist' : null),
};

const aParsedCommand: ParsedCommand = {command: {...aCommand, timeoutMs: 0}, env: new Map([['TOKEN', 'hunter2']])};

function open(settings: Partial<Settings> = {}, free = 2 ** 40) {
	const parts = new Parts(settings);
	const {store, launcher, confinement, clock, admission, ledger, bus} = parts;
	const disk = {freeBytes: () => free, punchHole: () => Promise.resolve(false)};
	const intake = new Intake(
		store,
		launcher,
		confinement,
		disk,
		host,
		clock,
		parts.settings,
		'/state',
		'/srv',
		admission,
		ledger,
		bus,
	);
	/** What was answered, once it was. */
	const firstAnswer = (processId: string, closing = new AbortController().signal) => {
		const seen: {answer: Process | null} = {answer: null};
		void intake.firstAnswer(processId, closing).then(process => {
			seen.answer = process;
		});
		return seen;
	};
	return {parts, intake, firstAnswer};
}

test('a command is prepared, stored, told of and launched, in this order', t => {
	const {parts, intake} = open();
	const steps: string[] = [];
	parts.launcher.prepare = ({processId}) => steps.push(`prepared, stored: ${parts.store.find(processId) !== null}`);
	parts.bus.on('queued', () => steps.push('told'));
	parts.launcher.launch = processId => steps.push(`launched, stored: ${parts.store.find(processId) !== null}`);

	intake.accept(aParsedCommand, null);

	t.deepEqual(steps, ['prepared, stored: false', 'told', 'launched, stored: true']);
});

test('each process has names of its own, that no path or line can misread', t => {
	const {parts, intake} = open();

	const ids = Array.from({length: 100}, () => intake.accept(aParsedCommand, null));

	t.is(new Set(ids).size, 100);
	t.true(ids.every(id => /^proc_[a-z0-9]+$/.test(id)));
	t.regex(parts.find(ids[0] ?? '').executionId, /^exec_[a-z0-9]+$/);
});

test('environment values go to the launcher, and not to the store', t => {
	const {parts, intake} = open();

	const processId = intake.accept(aParsedCommand, null);

	t.deepEqual(parts.launcher.environments.get(processId), new Map([['TOKEN', 'hunter2']]));
	t.false(JSON.stringify([parts.find(processId), parts.events]).includes('hunter2'));
});

test('where there is no room nothing is prepared', t => {
	const {parts, intake} = open({maxRunning: 1, maxQueued: 0});
	intake.accept(aParsedCommand, null);

	t.throws(() => intake.accept(aParsedCommand, null), {instanceOf: QueueFullError});

	t.is(parts.launcher.prepared.size, 1);
});

test('what could not be prepared is not stored', t => {
	const {parts, intake} = open();
	parts.launcher.prepare = () => {
		throw new StorageFullError('/state');
	};

	t.throws(() => intake.accept(aParsedCommand, null), {instanceOf: StorageFullError});

	t.deepEqual([parts.store.list({limit: 10}), parts.announced, parts.launcher.launched], [[], [], []]);
});

test('while the disk has less than its reserve, nothing is accepted', t => {
	const output = {maxStreamBytes: 65_536, maxTotalBytes: 1_048_576, reserveBytes: 1000};
	const {parts, intake} = open({output}, 999);

	t.throws(() => intake.accept(aParsedCommand, null), {instanceOf: StorageFullError});
	t.is(parts.launcher.prepared.size, 0);

	t.notThrows(() => open({output}, 1000).intake.accept(aParsedCommand, null));
});

test('what could not be stored leaves nothing of what was prepared', t => {
	const {parts, intake} = open();
	parts.store.close();

	t.throws(() => intake.accept(aParsedCommand, null), {any: true});

	t.is(parts.launcher.prepared.size, 0);
	t.deepEqual(parts.launcher.launched, []);
});

test('the answer comes when the command runs', async t => {
	const {parts, intake, firstAnswer} = open();
	const processId = intake.accept(aParsedCommand, null);
	const seen = firstAnswer(processId);
	await settled();
	t.is(seen.answer, null);

	parts.launcher.writeStart(processId);
	parts.reaper.look(processId);
	await settled();

	t.is(seen.answer?.status, 'running');
	t.is(parts.clock.timers, 0);
});

test('one that must wait for its turn is answered at once', async t => {
	const {intake, firstAnswer} = open({maxRunning: 1});
	intake.accept(aParsedCommand, null);
	const seen = firstAnswer(intake.accept(aParsedCommand, null));

	await settled();

	t.is(seen.answer?.status, 'queued');
});

test('one that has ended already is answered at once, as a repeated start asks for it', async t => {
	const {parts, firstAnswer} = open();
	parts.put(anEndedProcess());
	const seen = firstAnswer('proc_1');

	await settled();

	t.is(seen.answer?.status, 'completed');
});

test('a keeper that does not stir holds nobody up beyond two seconds', async t => {
	const {parts, intake, firstAnswer} = open();
	const seen = firstAnswer(intake.accept(aParsedCommand, null));

	await parts.clock.advance(1999);
	t.is(seen.answer, null);

	await parts.clock.advance(1);
	t.is(seen.answer?.status, 'queued');
});

test('a supervisor that is closed answers with what is known: the command was accepted', async t => {
	const {parts, intake, firstAnswer} = open();
	const closing = new AbortController();
	const seen = firstAnswer(intake.accept(aParsedCommand, null), closing.signal);

	closing.abort();
	await settled();

	t.is(seen.answer?.status, 'queued');
	t.is(parts.clock.timers, 0);
});

test('a key that was used for the same request gives its process', t => {
	const {intake} = open();
	const key = {key: 'k', owner: null, fingerprint: 'f'};

	const processId = intake.accept(aParsedCommand, null, key);

	t.is(intake.findRepeated(key), processId);
	t.is(intake.findRepeated({key: 'other', owner: null, fingerprint: 'f'}), null);
});

test('a key that was used for another request is a conflict, which names the process', t => {
	const {intake} = open();
	const processId = intake.accept(aParsedCommand, null, {key: 'k', owner: null, fingerprint: 'f'});

	const error = t.throws(() => intake.findRepeated({key: 'k', owner: null, fingerprint: 'g'}), {
		instanceOf: IdempotencyConflictError,
	});

	t.like(error, {idempotencyKey: 'k', processId});
});

test('what is not said is taken from the settings, and directories are looked at by the host', t => {
	const {intake} = open({defaultTimeoutMs: 1, maxTimeoutMs: 2});

	t.like(intake.defaults, {timeoutMs: 1, maxTimeoutMs: 2, workingDir: '/srv'});
	t.is(intake.defaults.problemWithDirectory('/nowhere'), 'does not exist');
});

test('a request is the same in whatever order its fields come', t => {
	t.is(
		fingerprint({command: 'ls', env: {A: '1', B: '2'}, args: ['x', 'y']}),
		fingerprint({args: ['x', 'y'], env: {B: '2', A: '1'}, command: 'ls'}),
	);
});

test('another request is another, however similar', t => {
	const requests = [
		{command: 'ls'},
		{command: 'ls', name: 'ls'},
		{command: 'ls', args: []},
		{command: 'ls', args: ['x', 'y']},
		{command: 'ls', args: ['y', 'x']},
		{command: 'ls', env: {A: '1'}},
		{command: 'ls', env: {A: '2'}},
		{command: 'ls', env: JSON.parse('{"__proto__": "x"}')},
		{command: 'ls', env: {}},
		undefined,
		null,
	];

	t.is(new Set(requests.map(fingerprint)).size, requests.length);
});
