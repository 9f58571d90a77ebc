import {closeSync, existsSync, openSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {SchemaTooNewError} from '../opening-errors.js';
import type {Logger} from '../ports.js';

import Database = require('better-sqlite3');

export type {Database} from 'better-sqlite3';

/** One step of the schema; `version` is the number its file name begins with. */
export interface Migration {
	readonly version: number;
	readonly sql: string;
}

export interface OpenedDatabase {
	readonly database: Database.Database;
	/** Where a damaged file was set aside, `null` where none was. */
	readonly damagedCopy: string | null;
	/** A file that is there until the list of a new database has been rebuilt; `null` where there is nothing to rebuild. */
	readonly rebuildMark: string | null;
}

/** Reads `0001_name.sql` upward. @throws {Error} on a gap in the numbers. */
export function readMigrations(directory: string): Migration[] {
	const names = readdirSync(directory)
		.filter(name => /^\d{4}_\w+\.sql$/.test(name))
		.sort();
	return names.map((name, index) => {
		const version = Number(name.slice(0, 4));
		if (version !== index + 1) {
			throw new Error(`Migration ${index + 1} is missing in ${directory}`);
		}

		return {version, sql: readFileSync(join(directory, name), 'utf8')};
	});
}

/** Of the SQLite that was built for this Node. Throws where it cannot be loaded. */
export function readSqliteVersion(): string {
	const database = new Database(':memory:');
	try {
		return String(database.prepare('SELECT sqlite_version()').pluck().get());
	} finally {
		database.close();
	}
}

/**
 * Opens the database and brings its schema up to date. A damaged file is set aside, and an empty
 * database takes its place.
 *
 * @throws {SchemaTooNewError} the file is not touched then.
 */
export function openDatabase(path: string, migrations: readonly Migration[], logger: Logger): OpenedDatabase {
	try {
		return open(path, migrations, null);
	} catch (error) {
		if (!isDamage(error)) {
			throw error;
		}

		const damagedCopy = setAside(path);
		logger.error({damagedCopy, error}, 'The database was damaged and has been set aside');
		return open(path, migrations, damagedCopy);
	}
}

function open(path: string, migrations: readonly Migration[], damagedCopy: string | null): OpenedDatabase {
	const mark = rebuildMark(path);
	return {database: openSound(path, migrations), damagedCopy, rebuildMark: existsSync(mark) ? mark : null};
}

function rebuildMark(path: string): string {
	return `${path}.rebuilding`;
}

function openSound(path: string, migrations: readonly Migration[]): Database.Database {
	const isNew = touch(path);
	refuseNewer(path, migrations.length);
	const database = new Database(path);
	try {
		// Nobody but us may hold a lock, so no transaction ever waits for one.
		database.pragma('locking_mode = EXCLUSIVE');
		database.pragma('journal_mode = WAL');
		database.pragma('synchronous = NORMAL');
		database.pragma('foreign_keys = ON');
		const problem = database.pragma('quick_check(1)', {simple: true});
		if (problem !== 'ok') {
			throw new DamagedError(String(problem));
		}

		migrate(database, path, migrations, isNew);
		return database;
	} catch (error) {
		database.close();
		throw error;
	}
}

class DamagedError extends Error {}

function isDamage(error: unknown): boolean {
	return (
		error instanceof DamagedError ||
		(error instanceof Database.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code))
	);
}

/** SQLite would create the file readable for others; it gives its journals the mode of the file. */
function touch(path: string): boolean {
	if ((statSync(path, {throwIfNoEntry: false})?.size ?? 0) > 0) {
		return false;
	}

	// Before the file: after a crash in between, an empty list must not pass for the whole one.
	writeFileSync(rebuildMark(path), '', {mode: 0o600});
	closeSync(openSync(path, 'a', 0o600));
	return true;
}

/** Looks without writing: switching the journal mode already changes a file. */
function refuseNewer(path: string, known: number): void {
	const database = new Database(path, {readonly: true});
	try {
		const found = schemaVersion(database);
		if (found > known) {
			throw new SchemaTooNewError(path, found, known);
		}
	} finally {
		database.close();
	}
}

function schemaVersion(database: Database.Database): number {
	return Number(database.pragma('user_version', {simple: true}));
}

function migrate(database: Database.Database, path: string, migrations: readonly Migration[], isNew: boolean): void {
	const found = schemaVersion(database);
	const pending = migrations.filter(({version}) => version > found);
	if (pending.length > 0 && !isNew) {
		copy(database, `${path}.schema-${found}`);
	}

	for (const {version, sql} of pending) {
		database.transaction(() => {
			database.exec(sql);
			database.pragma(`user_version = ${version}`);
		})();
	}
}

/** VACUUM INTO wants no file or an empty one; ours is empty, and readable by nobody else. */
function copy(database: Database.Database, path: string): void {
	const free = freeName(path);
	closeSync(openSync(free, 'wx', 0o600));
	database.prepare('VACUUM INTO ?').run(free);
}

function setAside(path: string): string {
	const date = new Date().toISOString().replaceAll(/[:.]/g, '-');
	const aside = freeName(`${path}.damaged-${date}`);
	for (const suffix of ['', '-wal', '-shm', '-journal']) {
		if (existsSync(path + suffix)) {
			renameSync(path + suffix, aside + suffix);
		}
	}

	return aside;
}

function freeName(path: string): string {
	let name = path;
	for (let number = 2; existsSync(name); number++) {
		name = `${path}-${number}`;
	}

	return name;
}
