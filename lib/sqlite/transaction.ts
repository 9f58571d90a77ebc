import {dirname} from 'node:path';
import {StorageFullError} from '../errors.js';
import type {Database} from './database.js';

import Sqlite = require('better-sqlite3');

/** Stores all that the work writes, or nothing. @throws {StorageFullError} */
export type Transact = <T>(work: () => T) => T;

/** The transactions of a database. They begin as writers, so that none of them fails half-way for want of a lock. */
export function transactionsOf(database: Database): Transact {
	const transaction = database.transaction((work: () => unknown) => work());
	return <T>(work: () => T) => {
		try {
			return transaction.immediate(work) as T;
		} catch (error) {
			const isFull = error instanceof Sqlite.SqliteError && error.code === 'SQLITE_FULL';
			throw isFull ? new StorageFullError(dirname(database.name), {cause: error}) : error;
		}
	};
}
