import {closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {type Host, SettingsInvalidError, StorageFullError} from '../lib/index.js';
import {openCarefully} from './careful-open.js';

export type Variables = ReadonlyMap<string, string>;

/**
 * The variables that all later commands get: between the daemon's own environment and what a command brings.
 * They are secrets: kept in a file that nobody else can read, and shown to nobody but who asks for them.
 */
export class EnvironmentFile {
	readonly #path: string;
	#variables: Variables;

	/** @throws {SettingsInvalidError} for a file that cannot be read: commands must not run without what it says. */
	constructor(private readonly stateDir: string) {
		this.#path = join(stateDir, 'environment.json');
		this.#variables = read(this.#path);
	}

	get variables(): Variables {
		return this.#variables;
	}

	/** From the next command on; on the disk before it returns. @throws {StorageFullError} */
	replace(variables: Variables): void {
		const draft = `${this.#path}.new`;
		try {
			writeDurably(draft, JSON.stringify(Object.fromEntries(variables)));
			// rename(2) replaces it as a whole: whatever crashes, the old or the new ones are there.
			renameSync(draft, this.#path);
		} catch (error) {
			rmSync(draft, {force: true});
			const {code} = error as NodeJS.ErrnoException;
			throw code === 'ENOSPC' || code === 'EDQUOT' ? new StorageFullError(this.stateDir, {cause: error}) : error;
		}

		this.#variables = variables;
	}

	/** What commands inherit, with these variables in it. */
	extend(host: Host): Host {
		return {
			environment: () => new Map([...host.environment(), ...this.#variables]),
			problemWithDirectory: path => host.problemWithDirectory(path),
		};
	}
}

function read(path: string): Variables {
	let descriptor: number;
	try {
		descriptor = openCarefully(path);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
			return new Map();
		}

		throw error;
	}

	try {
		return new Map(Object.entries(JSON.parse(readFileSync(descriptor, 'utf8'))));
	} catch {
		// Without the cause: that repeats a piece of the text.
		throw new SettingsInvalidError(path, 'is damaged: repair it, or remove it and set the variables again');
	} finally {
		closeSync(descriptor);
	}
}

function writeDurably(path: string, text: string): void {
	// A draft that a crash left behind may have any mode.
	rmSync(path, {force: true});
	const descriptor = openSync(path, 'wx', 0o600);
	try {
		writeFileSync(descriptor, text);
		fsyncSync(descriptor);
	} finally {
		closeSync(descriptor);
	}
}
