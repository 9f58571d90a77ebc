import {
	closeSync,
	constants,
	fstatSync,
	ftruncateSync,
	mkdirSync,
	openSync,
	readdirSync,
	renameSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import {copyFile, mkdtemp, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {setImmediate} from 'node:timers/promises';
import {readFlags, updateFlags} from '../state-file.js';
import {emptyRecord} from './record.js';

const mostSpares = 16;

/**
 * Run directories and records made ahead, by other threads. To make files is most of what a start costs its host:
 * ext4 gives a number that was freed in the last seconds to nobody, and looks for another for up to 0.3 ms a file.
 * To rename one takes 10 µs.
 */
export class SpareDirectories {
	readonly #place: string;
	/** Each with `spec` and `record`; also those of an earlier supervisor. */
	readonly #ready: string[];
	/** Opened when the first is made: a supervisor must open on a full disk. */
	#blank: number | null = null;
	/** As many as were needed at once: a program that starts one command makes no others. */
	#wanted = 0;
	#filling: Promise<void> | null = null;
	#isClosed = false;

	constructor(stateDir: string) {
		this.#place = join(stateDir, 'spare');
		this.#ready = listSpares(this.#place);
	}

	/** How many can be taken now. */
	get size(): number {
		return this.#ready.length;
	}

	/** Puts one in its place with this specification. False where none is ready: nothing was made then. */
	take(directory: string, record: string, specification: string): boolean {
		const spare = this.#ready.pop();
		const isTaken = spare !== undefined && place(spare, directory, record, specification);
		if (spare === undefined) {
			this.#wanted = Math.min(Math.max(1, 2 * this.#wanted), mostSpares);
		}

		this.#filling ??= this.#fill();
		return isTaken;
	}

	/** Settles when nothing is made any more. */
	async close(): Promise<void> {
		this.#isClosed = true;
		await this.#filling;
		if (this.#blank !== null) {
			closeSync(this.#blank);
			this.#blank = null;
		}
	}

	async #fill(): Promise<void> {
		// To wake another thread takes time too: not that of whoever starts a command.
		await setImmediate();
		while (this.#ready.length < this.#wanted && !this.#isClosed) {
			const spare = await this.#make();
			if (spare === null) {
				break;
			}

			this.#ready.push(spare);
		}

		this.#filling = null;
	}

	/** `null` where there is no room: the next start makes its own, and tells of it. */
	async #make(): Promise<string | null> {
		let spare: string | null = null;
		try {
			this.#blank ??= openBlank(join(this.#place, 'blank'));
			const blank = `/proc/self/fd/${this.#blank}`;
			spare = await mkdtemp(join(this.#place, '/'));
			await copyFile(blank, join(spare, 'record'), constants.COPYFILE_EXCL);
			await copyFile(blank, join(spare, 'spec'), constants.COPYFILE_EXCL);
			return spare;
		} catch {
			// ENOSPC, EMFILE, or somebody has removed the place.
			await rm(spare ?? '', {recursive: true, force: true}).catch(() => undefined);
			return null;
		}
	}
}

/**
 * An empty record that has no name: nobody can put a FIFO in its place, which would hold up whoever copies it. To copy
 * is one errand for another thread, to write one takes three.
 */
function openBlank(path: string): number {
	rmSync(path, {recursive: true, force: true});
	writeFileSync(path, emptyRecord, {flag: 'wx', mode: 0o600});
	const descriptor = openSync(path, readFlags);
	rmSync(path);
	return descriptor;
}

/** Those that are left, in a place that is there then. Somebody may have put something else there: they are only spares. */
function listSpares(place: string): string[] {
	try {
		mkdirSync(place, {recursive: true, mode: 0o700});
		return readdirSync(place).map(name => join(place, name));
	} catch {
		// EEXIST, ENOTDIR, ENOENT (a link that leads nowhere).
		rmSync(place, {recursive: true, force: true});
		mkdirSync(place, {mode: 0o700});
		return [];
	}
}

function removeIfPossible(path: string): void {
	try {
		rmSync(path, {recursive: true, force: true});
	} catch {
		// ENOTDIR: all that was around it has been replaced.
	}
}

function place(spare: string, directory: string, record: string, specification: string): boolean {
	try {
		// Written before it is in its place: what stands in `runs` is whole.
		overwrite(join(spare, 'spec'), specification);
		renameSync(spare, directory);
		renameSync(join(directory, 'record'), record);
		return true;
	} catch {
		// A full disk, or a spare that a crash or a command has left without its files.
		removeIfPossible(spare);
		removeIfPossible(directory);
		return false;
	}
}

/** What a crash has left in it, or what it is made of, goes. */
function overwrite(path: string, content: string): void {
	const descriptor = openSync(path, updateFlags);
	try {
		const found = fstatSync(descriptor);
		// A command may have put a FIFO there, which takes what is written and gives it to nobody; or another name of a
		// file that is somebody's.
		if (!found.isFile() || found.nlink > 1) {
			throw new Error(`${path} is no file of ours alone`);
		}

		writeFileSync(descriptor, content);
		const length = Buffer.byteLength(content);
		if (found.size > length) {
			// Not to nothing, and only here: ext4 writes to the disk what was cut to nothing, as soon as it is closed.
			ftruncateSync(descriptor, length);
		}
	} finally {
		closeSync(descriptor);
	}
}
