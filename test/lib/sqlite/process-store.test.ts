import {join} from 'node:path';
import test from 'ava';
import Sqlite from 'better-sqlite3';
import {StorageFullError} from '../../../lib/errors.js';
import type {Change} from '../../../lib/ports.js';
import type {EndedProcess, ProcessRecord} from '../../../lib/process.js';
import {toProcess} from '../../../lib/process-view.js';
import {SqliteArchive} from '../../../lib/sqlite/archive.js';
import {openDatabase, readMigrations} from '../../../lib/sqlite/database.js';
import {SqliteEventStore} from '../../../lib/sqlite/event-store.js';
import {SqliteProcessStore} from '../../../lib/sqlite/process-store.js';
import {recordEnd, recordLeftover, recordReady, recordStart, recordStop} from '../../../lib/transitions.js';
import {
	anEndedProcess,
	aQueuedProcess,
	aRunningProcess,
	aStart,
	aStop,
	aStoppingProcess,
	type Facts,
} from '../../helpers/a-process.js';
import {migrationsDir, openMemoryStore} from '../../helpers/memory-store.js';
import {RecordingLogger} from '../../helpers/recording-logger.js';
import {makeTempDir} from '../../helpers/temp-dir.js';

/** A store, and a way to look behind it. */
function open(database = new Sqlite(':memory:')) {
	const store = openMemoryStore({database});
	const count = (table: string) => database.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
	return {database, store, count};
}

function newProcess(facts: Facts = {}) {
	const {sequence, ...process} = aQueuedProcess(facts);
	return process;
}

function put(store: SqliteProcessStore, ...records: ProcessRecord[]): void {
	for (const {sequence, ...record} of records) {
		store.adopt(record);
	}
}

const states: Record<string, ProcessRecord> = {
	queued: aQueuedProcess({command: {args: ['a', '', 'ü'], name: 'näme', timeoutMs: 0}}),
	running: aRunningProcess({command: {args: []}}),
	'stopping, not yet signalled': aStoppingProcess({stop: {why: 'request', isSignaled: false, gracePeriodMs: 0}}),
	'stopping, signalled': aStoppingProcess({stop: {why: 'timeout', isSignaled: true}}),
	'stopping, blocked': aStoppingProcess({stop: {isSignaled: true, isBlocked: true}}),
	'ended with an exit code': anEndedProcess({end: {exitCode: 255}}),
	'ended by a signal': anEndedProcess({end: {why: 'signaled', exitCode: 137, signal: 'SIGKILL'}}),
	'ended by request': anEndedProcess({end: {why: 'request', exitCode: 0}}),
	'ended for want of memory': anEndedProcess({end: {why: 'oom', exitCode: 137, signal: 'SIGKILL'}}),
	'ended, with something left behind': anEndedProcess({leftover: 3}),
	'ended, with all that it used': anEndedProcess({usage: {cpuMs: 1234, memoryPeakBytes: 2 ** 40}}),
	'ended, with some of what it used': anEndedProcess({usage: {cpuMs: 0, memoryPeakBytes: null}}),
	'lost, with nothing known': anEndedProcess({
		end: {why: 'lost', exitCode: null, message: 'A sentence'},
		durationMs: null,
	}),
	'ended before it started': anEndedProcess({
		start: null,
		durationMs: null,
		end: {why: 'start_failed', exitCode: null},
	}),
};

for (const [what, record] of Object.entries(states)) {
	test(`a process comes back as it was stored: ${what}`, t => {
		const {store} = open();

		put(store, record);

		t.deepEqual(store.find('proc_1'), record);
	});

	test(`a process comes back as it became: ${what}`, t => {
		const {store} = open();
		store.insert({...newProcess(), command: record.command}, 0);

		store.update(record);

		t.deepEqual(store.find('proc_1'), record);
	});
}

test('a shell line comes back byte for byte, whatever is in it', t => {
	const {store} = open();
	const line = '\'"`$\\\n\t\u0001\u007f\u{1f600}; DROP TABLE processes; -- ';

	store.insert(newProcess({command: {line, args: [line], workingDir: `/${line}`}}), 0);

	t.like(store.find('proc_1')?.command, {line, args: [line], workingDir: `/${line}`});
});

const confined = aQueuedProcess({
	cgroup: '/sys/fs/cgroup/nohupd-0123456789ab/proc_1',
	command: {leftover: 'kill', limits: {memoryBytes: 2 ** 33, pids: 20, cpuPercent: 150, bestEffort: true}},
});

test('where a process is held, its limits and what becomes of its leftovers come back as they were stored', t => {
	const {store} = open();
	const {sequence, ...process} = confined;

	store.insert(process, 0);

	t.deepEqual(store.find('proc_1'), confined);
});

test('what was asked of input and readiness comes back, and what was found of it stays, whatever follows', t => {
	const {store} = open();
	const running = aRunningProcess({command: {stdin: true, ready: {http: 'http://localhost/', timeoutMs: 5}}});
	const ready = recordReady(running, {status: 'ready', at: 7});
	const late = recordReady({...running, processId: 'proc_2', sequence: 2}, {status: 'timed_out', at: 8});
	const stopping = recordStop(late, aStop);
	const ended = recordEnd(ready, {exitCode: 0, endedAt: 9, durationMs: 1});

	put(store, ended, stopping);

	t.deepEqual([store.find('proc_1'), store.find('proc_2')], [ended, stopping]);
	t.like(toProcess(ended), {readyAt: 7, readyTimedOutAt: null, stdin: true});
	t.like(toProcess(stopping), {readyAt: null, readyTimedOutAt: 8});
});

test('no change of state moves a process to another cgroup', t => {
	const {store} = open();
	const {sequence, ...process} = confined;
	store.insert(process, 0);

	store.update(recordStart({...confined, cgroup: null}, aStart));

	t.is(store.find('proc_1')?.cgroup, confined.cgroup);
});

test('ended ones of which something may be alive are listed, oldest first: also those whose output nobody has counted', t => {
	const {store, database} = open();
	put(
		store,
		anEndedProcess({processId: 'proc_1', leftover: 1}),
		anEndedProcess({processId: 'proc_2'}),
		aRunningProcess({processId: 'proc_3'}),
		anEndedProcess({processId: 'proc_4', leftover: 300}),
		anEndedProcess({processId: 'proc_5'}),
	);
	database.exec("UPDATE processes SET output_bytes = 0 WHERE process_id <> 'proc_5'");

	t.deepEqual(
		store.listPerhapsAlive().map(({processId, state}) => [processId, state.leftover]),
		[
			['proc_1', 1],
			['proc_4', 300],
			['proc_5', 0],
		],
	);
});

test('a process that is not known is not found', t => {
	t.is(open().store.find('proc_1'), null);
});

test('an accepted process gets the next number, and a numbered event', t => {
	const {store} = open();
	store.insert(newProcess({processId: 'proc_a'}), 1);

	const {process, event} = store.insert(newProcess({processId: 'proc_b'}), 77);

	t.is(process.sequence, 2);
	t.deepEqual(event, {type: 'queued', sequence: 2, at: 77, process: toProcess(process)});
});

test('changes are stored with their events, numbered in their order', t => {
	const {database, store} = open();
	const {process} = store.insert(newProcess(), 0);
	const running = recordStart(process, aStart);
	const stopping = recordStop(running, aStop);
	const ended = recordEnd(stopping, {exitCode: 143, endedAt: 5000, durationMs: 10});

	const events = store.apply([
		{record: running, event: 'started', at: 1},
		{record: stopping, event: 'stopping', at: 2},
		{record: ended, event: 'ended', at: 3},
	]);

	t.deepEqual(events, [
		{type: 'started', sequence: 2, at: 1, process: toProcess(running)},
		{type: 'stopping', sequence: 3, at: 2, process: toProcess(stopping), why: 'request'},
		{type: 'ended', sequence: 4, at: 3, process: toProcess(ended)},
	]);
	t.deepEqual(store.find('proc_1'), ended);
	t.deepEqual(
		database.prepare('SELECT sequence, at, type, process_id, state FROM events WHERE sequence > 1').raw().all(),
		[
			[2, 1, 'started', 'proc_1', JSON.stringify(running.state)],
			[3, 2, 'stopping', 'proc_1', JSON.stringify(stopping.state)],
			[4, 3, 'ended', 'proc_1', JSON.stringify(ended.state)],
		],
	);
});

test('of changes of which one cannot be stored none is, and no event', t => {
	const {store, count} = open();
	const {process} = store.insert(newProcess(), 0);
	const running = recordStart(process, aStart);
	const changes: Change[] = [
		{record: running, event: 'started', at: 1},
		// A running process is not being stopped.
		{record: running, event: 'stopping', at: 2},
	];

	t.throws(() => store.apply(changes));

	t.deepEqual([store.find('proc_1'), count('events')], [process, 1]);
});

test('however often a process was read before, each change of it is seen at once, and none that was taken back', t => {
	const {store} = open();
	const {process} = store.insert(newProcess(), 0);
	const seen = () => [store.find('proc_1'), ...store.list({limit: 1}), ...store.listOpen()].map(found => found?.state);
	t.deepEqual(seen(), [process.state, process.state, process.state]);

	const running = recordStart(process, aStart);
	store.apply([{record: running, event: 'started', at: 1}]);
	t.deepEqual(seen(), [running.state, running.state, running.state]);

	const ended = recordEnd(running, {exitCode: 0, endedAt: 5000, durationMs: 10});
	t.throws(() =>
		store.apply([
			{record: ended, event: 'ended', at: 2},
			{record: ended, event: 'stopping', at: 3},
		]),
	);
	t.deepEqual(seen(), [running.state, running.state, running.state]);

	store.apply([{record: ended, event: 'ended', at: 2}]);
	t.deepEqual(seen(), [ended.state, ended.state]);
	store.update(recordLeftover(ended, 2));
	t.like(seen()[0], {leftover: 2});
});

test('a process that was forgotten is not found, however often it was read before', t => {
	const {database, store} = open();
	put(store, anEndedProcess());
	const [process] = store.list({limit: 1});
	t.truthy(process && store.find('proc_1'));

	new SqliteArchive(database, new SqliteEventStore(database)).forget(process as EndedProcess, 0);

	t.is(store.find('proc_1'), null);
	t.deepEqual(store.list({limit: 1}), []);
});

test('nobody who was given a record can change what others are given', t => {
	const {store} = open();
	put(store, anEndedProcess({command: {args: ['a'], limits: {pids: 5}, ready: {port: 1, timeoutMs: 1}}}));
	const {args, limits, ready} = store.find('proc_1')?.command ?? {};

	t.true([args, limits, ready].every(Object.isFrozen));
});

test('a process that cannot be accepted leaves no row, no key and no event', t => {
	const {store, count} = open();
	store.insert(newProcess({processId: 'proc_a'}), 0, {key: 'k', owner: null, fingerprint: 'f'});

	t.throws(() => store.insert(newProcess({processId: 'proc_b'}), 0, {key: 'k', owner: null, fingerprint: 'f'}), {
		any: true,
	});

	t.deepEqual(['processes', 'idempotency_keys', 'events'].map(count), [1, 1, 1]);
	t.is(store.find('proc_b'), null);
});

test("a fact that is nobody's news is stored without an event", t => {
	const {store, count} = open();
	put(store, aStoppingProcess());

	store.update(aStoppingProcess({stop: {isSignaled: true}}));

	t.like(store.find('proc_1')?.state, {stop: {isSignaled: true}});
	t.is(count('events'), 0);
});

test('an idempotency key finds the process it was used for, also after its end', t => {
	const {store} = open();
	const {process} = store.insert(newProcess(), 0, {key: 'k', owner: null, fingerprint: 'f'});

	store.update(recordEnd(process, {exitCode: null, endedAt: 1, durationMs: null, why: 'start_failed'}));

	t.deepEqual(store.findByIdempotencyKey('k', null), {processId: 'proc_1', fingerprint: 'f'});
	t.is(store.findByIdempotencyKey('K', null), null);
});

test('the same key of another owner is another key', t => {
	const {store} = open();
	store.insert(newProcess({processId: 'proc_1'}), 0, {key: 'k', owner: null, fingerprint: 'f'});
	store.insert(newProcess({processId: 'proc_2'}), 0, {key: 'k', owner: 'me', fingerprint: 'f'});

	t.is(store.findByIdempotencyKey('k', null)?.processId, 'proc_1');
	t.is(store.findByIdempotencyKey('k', 'me')?.processId, 'proc_2');
	t.is(store.findByIdempotencyKey('k', 'you'), null);
});

const listed: ProcessRecord[] = [
	aQueuedProcess({processId: 'proc_1', owner: 'me', command: {name: 'web'}}),
	aRunningProcess({processId: 'proc_2', command: {name: 'web'}}),
	aStoppingProcess({processId: 'proc_3'}),
	anEndedProcess({processId: 'proc_4', end: {exitCode: 0}}),
	anEndedProcess({processId: 'proc_5', end: {exitCode: 1}, command: {name: 'web'}}),
	anEndedProcess({processId: 'proc_6', end: {why: 'timeout', exitCode: 143}, command: {name: 'Web'}}),
];

const lists = test.macro(
	(t, query: Partial<Parameters<SqliteProcessStore['list']>[0]>, expected: readonly number[]) => {
		const {store} = open();
		put(store, ...listed);

		const found = store.list({limit: 100, ...query});

		t.deepEqual(
			found.map(({sequence}) => sequence),
			expected,
		);
	},
);

test('a list is newest first', lists, {}, [6, 5, 4, 3, 2, 1]);
test('a list by status: queued', lists, {status: 'queued'}, [1]);
test('a list by status: running, also what is being ended', lists, {status: 'running'}, [3, 2]);
test('a list by status: completed', lists, {status: 'completed'}, [4]);
test('a list by status: failed', lists, {status: 'failed'}, [5]);
test('a list by status: killed', lists, {status: 'killed'}, [6]);
test('a list by owner', lists, {owner: 'me'}, [1]);
test('a list by another owner', lists, {owner: 'you'}, []);
test('a list by name, exactly', lists, {name: 'web'}, [5, 2, 1]);
test('a list by name and status', lists, {name: 'web', status: 'running'}, [2]);
test('a list by a name nobody has', lists, {name: 'web%'}, []);
test('a list up to a limit', lists, {limit: 2}, [6, 5]);
test('a list of what came before', lists, {before: 4}, [3, 2, 1]);
test('a list of what came before, by name, up to a limit', lists, {before: 5, name: 'web', limit: 1}, [2]);

test('what is open is everything that has not ended, oldest first', t => {
	const {store} = open();
	put(store, ...listed);

	t.deepEqual(
		store.listOpen().map(({sequence, state}) => [sequence, state.status]),
		[
			[1, 'queued'],
			[2, 'running'],
			[3, 'stopping'],
		],
	);
});

test('where the disk is full nothing is accepted, and the error says so', t => {
	const stateDir = makeTempDir(t);
	const {database, store, count} = open(new Sqlite(join(stateDir, 'nohupd.db')));
	database.pragma(`max_page_count = ${database.pragma('page_count', {simple: true})}`);
	const line = 'x'.repeat(100_000);

	const error = t.throws(
		() => store.insert(newProcess({command: {line}}), 0, {key: 'k', owner: null, fingerprint: 'f'}),
		{
			instanceOf: StorageFullError,
		},
	);

	t.true(error.message.includes(stateDir));
	t.deepEqual(['processes', 'idempotency_keys', 'events'].map(count), [0, 0, 0]);
});

test('a row that lacks what its status needs is an error, not an invention', t => {
	const {database, store} = open();
	put(store, aRunningProcess());
	database.exec('UPDATE processes SET pid = NULL');

	t.throws(() => store.find('proc_1'), {message: /proc_1 lacks what its status running needs/});
});

test('numbers go on after a restart, and none is used twice', t => {
	const path = join(makeTempDir(t), 'nohupd.db');
	const reopen = () => {
		const {database} = openDatabase(path, readMigrations(migrationsDir), new RecordingLogger());
		return {database, store: new SqliteProcessStore(database, new SqliteEventStore(database))};
	};
	const first = reopen();
	first.store.insert(newProcess({processId: 'proc_a'}), 0);
	first.store.insert(newProcess({processId: 'proc_b'}), 0);
	first.database.exec('DELETE FROM events; DELETE FROM processes');
	first.store.close();

	const second = reopen();
	const {process, event} = second.store.insert(newProcess({processId: 'proc_c'}), 0);
	second.store.close();

	t.deepEqual([process.sequence, event.sequence], [3, 3]);
});
