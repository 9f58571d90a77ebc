import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import Sqlite from 'better-sqlite3';
import type {AnyProcessEvent, EventType} from '../../../lib/events.js';
import type {EventQuery} from '../../../lib/ports.js';
import {toProcess} from '../../../lib/process-view.js';
import {SqliteArchive} from '../../../lib/sqlite/archive.js';
import {openDatabase, readMigrations} from '../../../lib/sqlite/database.js';
import {SqliteEventStore} from '../../../lib/sqlite/event-store.js';
import {SqliteProcessStore} from '../../../lib/sqlite/process-store.js';
import {recordEnd, recordStart, recordStop} from '../../../lib/transitions.js';
import {anEndedProcess, aQueuedProcess, aStart, aStop} from '../../helpers/a-process.js';
import {migrationsDir, openMemoryStore} from '../../helpers/memory-store.js';
import {RecordingLogger} from '../../helpers/recording-logger.js';
import {makeTempDir} from '../../helpers/temp-dir.js';

function open() {
	const database = new Sqlite(':memory:');
	const store = openMemoryStore({database});
	const events = new SqliteEventStore(database);
	return {database, store, events, archive: new SqliteArchive(database, events)};
}

/** Four events of a process, as they were announced. */
function runThrough(store: SqliteProcessStore, processId: string, owner: string | null = null): AnyProcessEvent[] {
	const {sequence, ...process} = aQueuedProcess({processId, owner, command: {name: 'web', args: ['a']}});
	const {process: queued, event} = store.insert(process, 1);
	const running = recordStart(queued, aStart);
	const stopping = recordStop(running, aStop);
	return [
		event,
		...store.apply([
			{record: running, event: 'started', at: 2},
			{record: stopping, event: 'stopping', at: 3},
			{record: recordEnd(stopping, {exitCode: 143, endedAt: 4, durationMs: 2}), event: 'ended', at: 4},
		]),
	];
}

/** The process that the last event tells of. */
function endedOf(store: SqliteProcessStore, processId: string) {
	const record = store.find(processId);
	return anEndedProcess({processId, owner: record?.owner ?? null, sequence: record?.sequence ?? 0});
}

test('events come back as they were announced', t => {
	const {store, events} = open();
	const announced = [...runThrough(store, 'proc_1'), ...runThrough(store, 'proc_2')];

	t.deepEqual(events.list({after: 0, limit: 100}), announced);
});

const lists = test.macro((t: ExecutionContext, query: Partial<EventQuery>, expected: readonly number[]) => {
	const {store, events} = open();
	runThrough(store, 'proc_1');
	runThrough(store, 'proc_2');

	const found = events.list({after: 0, limit: 100, ...query});

	t.deepEqual(
		found.map(({sequence}) => sequence),
		expected,
	);
});

test('events after a number', lists, {after: 6}, [7, 8]);
test('events after the last number', lists, {after: 8}, []);
test('events up to a limit', lists, {limit: 3}, [1, 2, 3]);
test('events of one process', lists, {processId: 'proc_2'}, [5, 6, 7, 8]);
test('events of one process after a number, up to a limit', lists, {processId: 'proc_2', after: 5, limit: 2}, [6, 7]);
test('events of a process that nobody knows', lists, {processId: 'proc_x'}, []);
test('events of some types', lists, {types: ['queued', 'ended']}, [1, 4, 5, 8]);
test('events of one process and one type', lists, {types: ['stopping'], processId: 'proc_1'}, [3]);
test('events of no type', lists, {types: []}, []);

test('events of one owner are those of its processes, also of forgotten ones', t => {
	const {store, events, archive} = open();
	runThrough(store, 'proc_1', 'alice');
	runThrough(store, 'proc_2', 'bob');
	runThrough(store, 'proc_3');
	runThrough(store, 'proc_4', 'alice');
	archive.forget(endedOf(store, 'proc_1'), 77);
	archive.forget(endedOf(store, 'proc_2'), 77);
	const told = (owner: string, query: Partial<EventQuery> = {}) =>
		events
			.list({after: 0, limit: 100, owner, ...query})
			.map(({sequence, process}) => `${sequence} ${process.processId} of ${process.owner}`);

	t.deepEqual(told('alice', {after: 14}), ['15 proc_4 of alice', '16 proc_4 of alice', '17 proc_1 of alice']);
	t.deepEqual(told('bob'), ['18 proc_2 of bob']);
	t.deepEqual(told('bob', {processId: 'proc_4'}), []);
	t.deepEqual(told('carol'), []);
});

test('a process that was forgotten before there were owners had none', t => {
	const {database, store, events, archive} = open();
	runThrough(store, 'proc_1', 'alice');
	archive.forget(endedOf(store, 'proc_1'), 77);
	database.exec("UPDATE events SET process = json_remove(process, '$.owner')");

	t.is(events.list({after: 0, limit: 1})[0]?.process.owner, null);
	t.deepEqual(events.list({after: 0, limit: 1, owner: 'alice'}), []);
});

test('what is missing of a process does not tell another owner whether there is one', t => {
	const {store, events, archive} = open();
	runThrough(store, 'proc_1');
	runThrough(store, 'proc_2', 'alice');
	archive.forget(endedOf(store, 'proc_1'), 77);

	const horizons = ['alice', 'bob'].map(owner => events.horizon({processId: 'proc_2', owner}));

	t.deepEqual(horizons, [0, events.horizon({processId: 'proc_nobody'})]);
});

test('the last number is that of the newest event, also where that one is gone', t => {
	const {database, store, events} = open();
	t.is(events.lastSequence(), 0);

	runThrough(store, 'proc_1');
	database.exec('DELETE FROM events');

	t.is(events.lastSequence(), 4);
});

test('that a process was forgotten is told by itself, and it alone is left of it', t => {
	const {database, store, events, archive} = open();
	runThrough(store, 'proc_1');
	const ended = endedOf(store, 'proc_1');

	const event = archive.forget(ended, 77);

	t.deepEqual(event, {type: 'forgotten', sequence: 5, at: 77, process: toProcess(ended)});
	t.deepEqual(events.list({after: 0, limit: 100}), [event]);
	t.is(database.prepare('SELECT count(*) FROM processes').pluck().get(), 0);
});

test('whether a process was forgotten is known', t => {
	const {store, events, archive} = open();
	runThrough(store, 'proc_1');
	runThrough(store, 'proc_2');

	archive.forget(endedOf(store, 'proc_1'), 77);

	t.deepEqual(
		['proc_1', 'proc_2', 'proc_3'].map(processId => events.wasForgotten(processId)),
		[true, false, false],
	);
});

test('the horizon is the highest number that is gone; of a process that is known nothing is', t => {
	const {store, events, archive} = open();
	for (const processId of ['proc_1', 'proc_2', 'proc_3']) {
		runThrough(store, processId);
	}

	t.is(events.horizon(), 0);
	archive.forget(endedOf(store, 'proc_2'), 77);
	t.is(events.horizon(), 8);
	archive.forget(endedOf(store, 'proc_1'), 77);

	t.deepEqual(
		[events.horizon(), events.horizon({processId: 'proc_1'}), events.horizon({processId: 'proc_3'})],
		[8, 8, 0],
	);
});

test('words of forgotten processes are dropped by age, by number and a few at a time, and the horizon tells', t => {
	const {store, events, archive} = open();
	for (let number = 1; number <= 6; number++) {
		runThrough(store, `proc_${number}`);
	}

	for (let number = 1; number <= 5; number++) {
		archive.forget(endedOf(store, `proc_${number}`), number * 100);
	}

	const words = () => events.list({after: 0, types: ['forgotten'] as EventType[], limit: 100}).map(({at}) => at);
	t.is(events.dropForgotten({before: 0, keep: 5, limit: 10}), 0);
	t.is(events.dropForgotten({before: 200, keep: 5, limit: 10}), 1);
	t.deepEqual([words(), events.horizon()], [[200, 300, 400, 500], 25]);
	t.is(events.dropForgotten({before: 0, keep: 2, limit: 1}), 1);
	t.deepEqual([words(), events.horizon()], [[300, 400, 500], 26]);
	t.is(events.dropForgotten({before: 0, keep: 0, limit: 10}), 3);
	t.deepEqual([words(), events.horizon()], [[], 29]);
	t.is(events.list({after: 0, limit: 100}).length, 4);
});

test('where the list was rebuilt, numbers go on far behind those that are lost', t => {
	const {store, events} = open();
	const {sequence, ...process} = anEndedProcess();

	store.rebuild([process], 1_767_225_600_000);
	const [event] = runThrough(store, 'proc_2');

	t.is(events.horizon(), 1_767_225_600_000);
	t.is(event?.sequence, 1_767_225_600_001);
});

test('where nothing was found to rebuild, numbers begin with the first', t => {
	const {store, events} = open();

	store.rebuild([], 1_767_225_600_000);

	t.is(runThrough(store, 'proc_2')[0]?.sequence, 1);
	t.is(events.horizon(), 0);
});

test('events and the horizon survive a restart', t => {
	const path = join(makeTempDir(t), 'nohupd.db');
	const reopen = () => openDatabase(path, readMigrations(migrationsDir), new RecordingLogger()).database;
	const first = reopen();
	const store = new SqliteProcessStore(first, new SqliteEventStore(first));
	runThrough(store, 'proc_1');
	const announced = runThrough(store, 'proc_2');
	new SqliteArchive(first, new SqliteEventStore(first)).forget(endedOf(store, 'proc_1'), 77);
	first.close();

	const second = reopen();
	const events = new SqliteEventStore(second);

	t.deepEqual([events.horizon(), events.lastSequence()], [4, 9]);
	t.deepEqual(events.list({after: 0, limit: 4}), announced);
	second.close();
});
