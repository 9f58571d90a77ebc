import test from 'ava';
import Sqlite from 'better-sqlite3';
import type {EndedProcess, ProcessRecord} from '../../../lib/process.js';
import {SqliteArchive} from '../../../lib/sqlite/archive.js';
import {SqliteEventStore} from '../../../lib/sqlite/event-store.js';
import {anEndedProcess, aQueuedProcess, aRunningProcess, aStoppingProcess} from '../../helpers/a-process.js';
import {openMemoryStore} from '../../helpers/memory-store.js';

function open(...records: ProcessRecord[]) {
	const database = new Sqlite(':memory:');
	const store = openMemoryStore({database});
	for (const {sequence, ...record} of records) {
		store.adopt(record);
	}

	return {database, store, archive: new SqliteArchive(database, new SqliteEventStore(database))};
}

function endedAt(processId: string, at: number): EndedProcess {
	const ended = anEndedProcess({processId});
	return {...ended, state: {...ended.state, endedAt: at}};
}

const open4 = () => open(endedAt('proc_1', 30), endedAt('proc_2', 10), endedAt('proc_3', 20), endedAt('proc_4', 10));

const names = (listed: {readonly process: EndedProcess}[]) => listed.map(({process}) => process.processId);

test('only what has ended is counted', t => {
	const {archive} = open(
		aQueuedProcess({processId: 'proc_1'}),
		aRunningProcess({processId: 'proc_2'}),
		aStoppingProcess({processId: 'proc_3'}),
		anEndedProcess({processId: 'proc_4'}),
	);

	t.deepEqual(archive.totals(), {count: 1, outputBytes: 0});
	t.deepEqual(archive.listUncounted(10), ['proc_4']);
	t.deepEqual(names(archive.listOldest(null, 10)), ['proc_4']);
});

test('bytes are counted once, and again when the process has changed', t => {
	const {archive, store} = open4();
	t.is(archive.listUncounted(3).length, 3);

	archive.count(
		new Map([
			['proc_1', 100],
			['proc_3', 20],
		]),
	);
	t.deepEqual(archive.totals(), {count: 4, outputBytes: 120});
	t.deepEqual(archive.listUncounted(10), ['proc_2', 'proc_4']);

	store.update(endedAt('proc_1', 30));
	t.deepEqual(archive.listUncounted(10), ['proc_1', 'proc_2', 'proc_4']);
});

test('those that ended first come first, page by page', t => {
	const {archive} = open4();
	archive.count(new Map([['proc_3', 20]]));

	const page = archive.listOldest(null, 3);
	const next = archive.listOldest(page.at(-1)?.process ?? null, 3);

	t.deepEqual(
		[...page, ...next].map(({process, outputBytes}) => [process.processId, outputBytes]),
		[
			['proc_2', 0],
			['proc_4', 0],
			['proc_3', 20],
			['proc_1', 0],
		],
	);
});

test('what has not ended cannot be forgotten, nor what is not there', t => {
	const {archive, store} = open(aRunningProcess({processId: 'proc_1'}));

	t.is(archive.forget(anEndedProcess({processId: 'proc_1'}), 1), null);
	t.is(archive.forget(anEndedProcess({processId: 'proc_x'}), 1), null);

	t.not(store.find('proc_1'), null);
});

test('a process is forgotten with its key and its events, or not at all', t => {
	const {archive, store, database} = open();
	const {sequence, ...process} = aQueuedProcess();
	store.insert(process, 0, {key: 'k', owner: null, fingerprint: 'f'});
	const ended = anEndedProcess();
	store.update(ended);
	database.exec("CREATE TRIGGER fails BEFORE INSERT ON events BEGIN SELECT raise(ABORT, 'disk full'); END");
	const counts = () =>
		['processes', 'idempotency_keys', 'events'].map(table =>
			database.prepare(`SELECT count(*) FROM ${table}`).pluck().get(),
		);

	t.throws(() => archive.forget(ended, 1), {any: true, message: 'disk full'});
	t.deepEqual(counts(), [1, 1, 1]);

	database.exec('DROP TRIGGER fails');
	archive.forget(ended, 1);
	t.deepEqual(counts(), [0, 0, 1]);
});
