import {createHash} from 'node:crypto';
import {mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import Sqlite from 'better-sqlite3';
import {createSupervisor} from '../../../lib/index.js';
import {SchemaTooNewError} from '../../../lib/opening-errors.js';
import {type Migration, openDatabase, readMigrations} from '../../../lib/sqlite/database.js';
import {SqliteEventStore} from '../../../lib/sqlite/event-store.js';
import {SqliteProcessStore} from '../../../lib/sqlite/process-store.js';
import {aQueuedProcess, aStart, aStop} from '../../helpers/a-process.js';
import {migrationsDir} from '../../helpers/memory-store.js';
import {RecordingLogger} from '../../helpers/recording-logger.js';
import {killAll, makeStateDir} from '../../helpers/state-dir.js';
import {makeTempDir} from '../../helpers/temp-dir.js';

const migrations = readMigrations(migrationsDir);
const newest = migrations.length;

/** A directory with a database as the version wrote it that knew only this many migrations. */
function makeOldDatabase(t: ExecutionContext, version: number): {directory: string; path: string} {
	const directory = makeTempDir(t);
	const path = join(directory, 'nohupd.db');
	const database = new Sqlite(path);
	database.pragma('journal_mode = WAL');
	for (const {sql} of migrations.slice(0, version)) {
		database.exec(sql);
	}

	database.pragma(`user_version = ${version}`);
	const insert = database.prepare(
		`INSERT INTO processes (process_id, execution_id, command, working_dir, timeout_ms, created_at, status, public_status)
		VALUES (?, 'exec', 'true', '/', 0, 0, 'queued', 'queued')`,
	);
	for (let number = 1; number <= 100; number++) {
		insert.run(`proc_${number}`);
	}

	if (version >= 2) {
		const note = database.prepare("INSERT INTO events (at, type, process_id, state) VALUES (7, ?, 'proc_1', ?)");
		note.run('queued', '{"status":"queued"}');
		note.run('stopping', JSON.stringify(oldStop));
	}

	database.close();
	return {directory, path};
}

const {isBlocked, ...stop} = aStop;
/** As schema 2 wrote it. */
const oldStop = {status: 'stopping', start: aStart, stop};

function open(path: string, known: readonly Migration[] = migrations, logger = new RecordingLogger()) {
	const {database, damagedCopy, rebuildMark} = openDatabase(path, known, logger);
	const facts = {
		version: database.pragma('user_version', {simple: true}),
		tables: database.prepare("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name").all(),
		rows: countRows(database),
	};
	database.close();
	return {...facts, damagedCopy, rebuildMark};
}

function countRows(database: Sqlite.Database): unknown {
	return database.prepare('SELECT count(*) FROM processes').pluck().get();
}

function hash(path: string): string {
	return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Without the journals, which SQLite may keep. */
function listFiles(directory: string): string[] {
	return readdirSync(directory).filter(name => !/-(wal|shm)$/.test(name));
}

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

test('a new database has the newest schema, and a mark beside it until the list was rebuilt', t => {
	const directory = makeTempDir(t);
	const rebuildMark = join(directory, 'nohupd.db.rebuilding');

	const opened = open(join(directory, 'nohupd.db'));
	const afterCrash = open(join(directory, 'nohupd.db'));

	t.like(opened, {version: newest, rows: 0, damagedCopy: null, rebuildMark});
	t.is(afterCrash.rebuildMark, rebuildMark);
	t.deepEqual(listFiles(directory), ['nohupd.db', 'nohupd.db.rebuilding']);
});

test('once the list was rebuilt, nothing is left beside a database, and it is believed from then on', t => {
	const directory = makeTempDir(t);
	const path = join(directory, 'nohupd.db');
	const {database, rebuildMark} = openDatabase(path, migrations, new RecordingLogger());
	const store = new SqliteProcessStore(database, new SqliteEventStore(database), rebuildMark);
	const {sequence: _, ...found} = aQueuedProcess();

	const wasRebuilding = store.isRebuilding;
	store.rebuild([found], 0);
	store.rebuild([found], 0);

	t.deepEqual([wasRebuilding, store.isRebuilding], [true, false]);
	store.close();
	t.deepEqual(listFiles(directory), ['nohupd.db']);
	t.like(open(path), {rows: 1, rebuildMark: null});
});

test('a database is readable by nobody else, and so are its journals', t => {
	const directory = makeTempDir(t);
	const umask = process.umask(0);

	const {database} = openDatabase(join(directory, 'nohupd.db'), migrations, new RecordingLogger());
	process.umask(umask);

	t.deepEqual(
		readdirSync(directory).map(name => [name, mode(join(directory, name))]),
		[
			['nohupd.db', '600'],
			['nohupd.db-wal', '600'],
			['nohupd.db.rebuilding', '600'],
		],
	);
	database.close();
});

test('what is committed survives the supervisor, and foreign keys are looked after', t => {
	const {database} = openDatabase(join(makeTempDir(t), 'nohupd.db'), migrations, new RecordingLogger());

	t.deepEqual(
		['journal_mode', 'synchronous', 'foreign_keys'].map(name => database.pragma(name, {simple: true})),
		['wal', 1, 1],
	);
	database.close();
});

for (const version of Array.from({length: newest - 1}, (_, index) => index + 1)) {
	test(`a database of schema ${version} opens with all its rows, and a copy is left beside it`, t => {
		const {directory, path} = makeOldDatabase(t, version);

		const opened = open(path);

		t.like(opened, {version: newest, rows: 100, damagedCopy: null});
		t.deepEqual(listFiles(directory), ['nohupd.db', `nohupd.db.schema-${version}`]);
		t.is(mode(`${path}.schema-${version}`), '600');
		const copy = new Sqlite(`${path}.schema-${version}`, {readonly: true});
		t.deepEqual([copy.pragma('user_version', {simple: true}), countRows(copy)], [version, 100]);
		copy.close();
	});

	test(`a database of schema ${version} becomes what a new one is`, t => {
		const {path} = makeOldDatabase(t, version);

		t.deepEqual(open(path).tables, open(join(makeTempDir(t), 'nohupd.db')).tables);
	});
}

// Before 0004, which completes what it finds.
for (const version of [2, 3]) {
	test(`the events of a database of schema ${version} are told, and none is missing`, t => {
		const {path} = makeOldDatabase(t, version);
		const {database} = openDatabase(path, migrations, new RecordingLogger());

		const events = new SqliteEventStore(database);

		t.like(events.list({after: 0, limit: 10}), [
			{type: 'queued', sequence: 1, at: 7, process: {processId: 'proc_1', status: 'queued', command: 'true'}},
			{type: 'stopping', sequence: 2, why: 'request', process: {status: 'running', pid: 4711, blocked: false}},
		]);
		t.is(events.horizon(), 0);
		database.close();
	});
}

test('a database of the newest schema is not copied again', t => {
	const {directory, path} = makeOldDatabase(t, newest);

	t.like(open(path), {version: newest, rows: 100});

	t.deepEqual(listFiles(directory), ['nohupd.db']);
});

test('a copy that is there already is not overwritten', t => {
	const {directory, path} = makeOldDatabase(t, 1);
	writeFileSync(`${path}.schema-1`, 'precious');

	open(path);

	t.is(readFileSync(`${path}.schema-1`, 'utf8'), 'precious');
	t.deepEqual(listFiles(directory), ['nohupd.db', 'nohupd.db.schema-1', 'nohupd.db.schema-1-2']);
});

test('a migration that fails half-way changes nothing, and is tried again at the next start', t => {
	const {path} = makeOldDatabase(t, newest);
	const sql = 'CREATE TABLE half_way (x); INSERT INTO no_such_table VALUES (1);';

	t.throws(() => open(path, [...migrations, {version: newest + 1, sql}]), {
		any: true,
		message: /no_such_table/,
	});

	t.like(open(path), {version: newest, rows: 100});
	t.like(open(path, [...migrations, {version: newest + 1, sql: 'CREATE TABLE half_way (x)'}]), {version: newest + 1});
});

test('a newer database is refused by a sentence with both versions, and its bytes are unchanged', t => {
	const {directory, path} = makeOldDatabase(t, newest);
	const database = new Sqlite(path);
	database.pragma(`user_version = ${newest + 1}`);
	database.close();
	const before = hash(path);

	const error = t.throws(() => open(path), {instanceOf: SchemaTooNewError});

	t.like(error, {path, found: newest + 1, known: newest});
	t.is(hash(path), before);
	t.deepEqual(listFiles(directory), ['nohupd.db']);
});

test('a newer database is refused also while it has a journal, which is not touched either', t => {
	const {path} = makeOldDatabase(t, newest);
	const newer = new Sqlite(path);
	newer.pragma(`user_version = ${newest + 1}`);
	newer.exec('CREATE TABLE of_the_future (x)');
	const before = [hash(path), hash(`${path}-wal`)];

	t.throws(() => open(path), {instanceOf: SchemaTooNewError});

	t.deepEqual([hash(path), hash(`${path}-wal`)], before);
	newer.close();
});

const pageSize = 4096;

const damages: Record<string, (path: string) => void> = {
	'is no database': path => writeFileSync(path, 'This is no database. '.repeat(1000)),
	'lost its header': path => writeFileSync(path, Buffer.alloc(100), {flag: 'r+'}),
	'lost a page in the middle': path => {
		const content = readFileSync(path);
		content.fill(0xff, 2 * pageSize, 4 * pageSize);
		writeFileSync(path, content);
	},
	'was cut short': path => truncateSync(path, 3 * pageSize),
};

for (const [what, damage] of Object.entries(damages)) {
	test(`a database that ${what} is set aside with its date, and an empty one takes its place`, t => {
		const {directory, path} = makeOldDatabase(t, newest);
		damage(path);
		const damaged = hash(path);
		const logger = new RecordingLogger();

		const {version, rows, damagedCopy} = open(path, migrations, logger);

		t.deepEqual({version, rows}, {version: newest, rows: 0});
		t.regex(String(damagedCopy), /\/nohupd\.db\.damaged-\d{4}-\d\d-\d\dT[\d-]+Z$/);
		t.is(hash(String(damagedCopy)), damaged);
		t.is(listFiles(directory).length, 3);
		t.like(logger.entries, [{level: 'error', facts: {damagedCopy}}]);
	});
}

test('an empty file, as a crash right after its creation leaves it, is a new database', t => {
	const path = join(makeTempDir(t), 'nohupd.db');
	writeFileSync(path, '');

	t.like(open(path), {version: newest, rows: 0, damagedCopy: null, rebuildMark: `${path}.rebuilding`});
});

test('what is no damage is not set aside', t => {
	const directory = makeTempDir(t);
	mkdirSync(join(directory, 'nohupd.db'));

	t.throws(() => open(join(directory, 'nohupd.db')), {any: true});

	t.deepEqual(listFiles(directory), ['nohupd.db']);
});

test('migrations are read in the order of their numbers; other files are no migrations', t => {
	const directory = makeTempDir(t);
	for (const name of ['0002_b.sql', '0001_a.sql', 'README.md', '1_c.sql', '0003_c.sql~']) {
		writeFileSync(join(directory, name), `-- ${name}`);
	}

	t.deepEqual(readMigrations(directory), [
		{version: 1, sql: '-- 0001_a.sql'},
		{version: 2, sql: '-- 0002_b.sql'},
	]);
});

test('a gap in the numbers of migrations is an error', t => {
	const directory = makeTempDir(t);
	writeFileSync(join(directory, '0001_a.sql'), '');
	writeFileSync(join(directory, '0003_c.sql'), '');

	t.throws(() => readMigrations(directory), {message: /Migration 2 is missing/});
});

test('where a database was damaged, the list is rebuilt from the run directories while a command runs', async t => {
	const stateDir = makeStateDir(t);
	const first = await createSupervisor({stateDir});
	const ended = await first.start({command: 'echo out; exit 3', name: 'ended', timeoutMs: 60_000});
	await first.wait(ended.processId);
	// How long it has run by now is another time each time.
	const {durationMs: _, ...running} = await first.start({
		command: 'exec sleep 60',
		name: 'running',
		env: {TOKEN: 'hunter2'},
	});
	await first.close();
	writeFileSync(join(stateDir, 'nohupd.db'), 'This is no database. '.repeat(1000));

	const second = await createSupervisor({stateDir});
	t.teardown(async () => {
		await killAll(second);
		await second.close();
	});
	const {processes} = await second.list();

	t.like(processes, [
		{...running, status: 'running', stdout: ''},
		{processId: ended.processId, name: 'ended', timeoutMs: 60_000, status: 'failed', exitCode: 3, stdout: 'out\n'},
	]);
	t.like(await second.kill(running.processId), {status: 'killed', exitCode: 143});
});
