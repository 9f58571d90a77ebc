import {fileURLToPath} from 'node:url';
import Sqlite from 'better-sqlite3';
import {type Database, readMigrations} from '../../lib/sqlite/database.js';
import {SqliteEventStore} from '../../lib/sqlite/event-store.js';
import {SqliteProcessStore} from '../../lib/sqlite/process-store.js';

export const migrationsDir = fileURLToPath(new URL('../../../migrations/', import.meta.url));

/** The real store, in memory. */
export function openMemoryStore({
	isRebuilding = false,
	database = new Sqlite(':memory:'),
}: {
	isRebuilding?: boolean;
	database?: Database;
} = {}): SqliteProcessStore {
	database.pragma('foreign_keys = ON');
	for (const {sql} of readMigrations(migrationsDir)) {
		database.exec(sql);
	}

	return new SqliteProcessStore(database, new SqliteEventStore(database), isRebuilding ? '/nowhere/mark' : null);
}
