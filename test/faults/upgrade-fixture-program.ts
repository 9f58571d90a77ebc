/**
 * `env -i PATH=/usr/bin:/bin "$(command -v node)" dist/test/faults/upgrade-fixture-program.js test/fixtures/state-0.1.0` writes the
 * state directory of this version as an agent leaves it that is killed: one command has ended, one runs, one waits.
 * What belongs to one machine or moment alone becomes a `{name}`, to be filled in by upgrade.test.ts.
 */
import {copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import Sqlite from 'better-sqlite3';
import {createSupervisor} from '../../lib/index.js';
import {findPrograms} from '../../lib/keeper/programs.js';
import {emptyRecord, parseRecord} from '../../lib/keeper/record.js';
import {eventually} from '../helpers/eventually.js';
import {killAll} from '../helpers/state-dir.js';

/** No machine's: what has ended belongs to a boot that is over. */
const earlierBoot = '0badb007';
const keeperScript = fileURLToPath(new URL('../../../lib/keeper/keeper.sh', import.meta.url));

const [target = ''] = process.argv.slice(2);
const stateDir = mkdtempSync(join(tmpdir(), 'nohupd-fixture-'));
rmSync(target, {recursive: true, force: true});
const ids = await live();
clean(ids);
writeFileSync(join(target, 'nohupd.sql'), withoutMoment(dump(), ids));
for (const name of ['nohupd.db', 'nohupd.db-wal', 'nohupd.db-shm', 'lock', 'lock-journal', 'owner', 'keeper']) {
	rmSync(join(target, name), {force: true});
}

copyFileSync(keeperScript, join(target, 'keeper.sh'));
rmSync(stateDir, {recursive: true});

interface Ids {
	readonly done: string;
	readonly running: string;
}

/** Copies the state directory in the middle of its life. */
async function live(): Promise<Ids> {
	const supervisor = await createSupervisor({stateDir, maxRunning: 1, containment: 'session', workingDir: '/'});
	const done = await supervisor.start({command: 'echo done', name: 'done'}, {idempotencyKey: 'first'});
	await supervisor.wait(done.processId);
	const command = 'trap "echo bye; exit 7" USR1; echo running; sleep 1000 & wait';
	const running = await supervisor.start({command, name: 'running', timeoutMs: 0}, {idempotencyKey: 'second'});
	await eventually(async () => (await supervisor.get(running.processId)).stdout === 'running\n');
	const queued = {command: 'echo "ran $GREETING"', name: 'queued', timeoutMs: 0, env: {GREETING: "it's me"}};
	await supervisor.start(queued, {idempotencyKey: 'third'});
	cpSync(stateDir, target, {recursive: true});
	await killAll(supervisor);
	await supervisor.close();
	return {done: done.processId, running: running.processId};
}

/** What runs is to be run again, by the keeper of this version, on the machine of the test. */
function clean({done, running}: Ids): void {
	for (const name of ['claim', 'stdout', 'stderr']) {
		rmSync(join(target, 'runs', running, name));
	}

	writeFileSync(join(target, 'records', running), emptyRecord);
	const {start} = readStart(done);
	for (const path of [join(target, 'records', done), join(target, 'runs', done, 'claim')]) {
		replaceIn(path, String(start?.identity.bootId), earlierBoot);
	}

	const {bash} = findPrograms();
	for (const {process_id} of database().prepare('SELECT process_id FROM processes').all() as {process_id: string}[]) {
		replaceIn(join(target, 'runs', process_id, 'spec'), `'${bash}'`, "'{bash}'");
	}
}

function replaceIn(path: string, text: string, by: string): void {
	writeFileSync(path, readFileSync(path, 'latin1').replaceAll(text, by), 'latin1');
}

/** As it was when the copy was made; the command itself has been killed since. */
function readStart(processId: string) {
	return parseRecord(readFileSync(join(stateDir, 'records', processId), 'latin1'));
}

function database(): Sqlite.Database {
	return new Sqlite(join(target, 'nohupd.db'));
}

/** The database as statements. */
function dump(): string {
	const copy = database();
	const all = (sql: string, ...values: unknown[]) =>
		copy
			.prepare(sql)
			.pluck()
			.all(...values) as string[];
	const tables = all("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid");
	const rows = (table: string) => {
		const columns = all('SELECT name FROM pragma_table_info(?)', table).map(name => `quote("${name}")`);
		return all(`SELECT ${columns.join(" || ',' || ")} FROM ${table}`).map(row => `INSERT INTO ${table} VALUES(${row})`);
	};
	const statements = [
		'BEGIN TRANSACTION',
		...tables.flatMap(table => [...all('SELECT sql FROM sqlite_schema WHERE name = ?', table), ...rows(table)]),
		'DELETE FROM sqlite_sequence',
		...rows('sqlite_sequence'),
		...all("SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY rowid"),
		'COMMIT',
		`PRAGMA user_version=${copy.pragma('user_version', {simple: true})}`,
	];
	copy.close();
	return statements.map(statement => `${statement};\n`).join('');
}

function withoutMoment(sql: string, {done, running}: Ids): string {
	const {start} = readStart(running);
	const {bootId = '', pid = 0, startTicks = 0} = start?.identity ?? {};
	const names = {pid, ticks: startTicks, shim: start?.shimPid, session: start?.sessionId};
	return sql
		.split('\n')
		.map(line => (line.includes(done) ? line.replaceAll(bootId, earlierBoot) : line))
		.map(line =>
			line.includes(running)
				? Object.entries(names).reduce(
						(text, [name, value]) => text.replaceAll(new RegExp(`\\b${value}\\b`, 'g'), `{${name}}`),
						line.replaceAll(bootId, '{boot}'),
					)
				: line,
		)
		.join('\n');
}
