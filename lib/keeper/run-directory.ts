import {
	closeSync,
	mkdirSync,
	openSync,
	readdirSync,
	readSync,
	rmSync,
	statSync,
	writeFileSync,
	writeSync,
} from 'node:fs';
import {join} from 'node:path';
import {StorageFullError} from '../errors.js';
import type {Claim, Report} from '../ports.js';
import type {ProcessId, Stop} from '../process.js';
import {readFlags, readStateFile, updateFlags} from '../state-file.js';
import {closedRecordLine, emptyRecord, lineOffsets, parseRecord, recordBytes, stopOrderLine} from './record.js';
import {SpareDirectories} from './spare-directories.js';
import {readSpecification, type Specification, type SpecifiedProcess} from './specification.js';

const supervisorClaim = 'supervisor\n';
/** What a command can make of a record: nothing, a FIFO, a link, a directory. */
const replaced = new Set<string | undefined>(['ENOENT', 'ESPIPE', 'ELOOP', 'EISDIR']);
/** What stat(2) counts in. */
const blockBytes = 512;
const processIdPattern = /^proc_\w+$/;

/** The files of processes: `runs/<id>/{spec,line,input,holder,stdin,claim,stdout,stderr,dropped}` and `records/<id>`. */
export class RunDirectories {
	readonly records: string;
	readonly #runs: string;
	readonly #spares: SpareDirectories;
	readonly #buffer = Buffer.alloc(recordBytes);

	constructor(private readonly stateDir: string) {
		this.records = join(stateDir, 'records');
		this.#runs = join(stateDir, 'runs');
		mkdirSync(this.records, {recursive: true, mode: 0o700});
		mkdirSync(this.#runs, {recursive: true, mode: 0o700});
		this.#spares = new SpareDirectories(stateDir);
	}

	linePath(processId: ProcessId): string {
		return join(this.#runs, processId, 'line');
	}

	/** Leaves nothing behind where it fails. @throws {StorageFullError} */
	create(processId: ProcessId, {text, line, mkfifo}: Specification): void {
		const directory = join(this.#runs, processId);
		const record = join(this.records, processId);
		try {
			if (!this.#spares.take(directory, record, text)) {
				mkdirSync(directory, {mode: 0o700});
				writeNew(join(directory, 'spec'), text);
				writeNew(record, emptyRecord);
			}

			if (line !== null) {
				writeNew(this.linePath(processId), line);
			}

			if (mkfifo !== null) {
				writeNew(join(directory, 'input'), `${mkfifo}\n`);
			}
		} catch (error) {
			this.remove(processId);
			throw this.#translate(error);
		}
	}

	/** Settles when nothing is written any more. */
	async close(): Promise<void> {
		await this.#spares.close();
	}

	remove(processId: ProcessId): void {
		rmSync(join(this.records, processId), {force: true});
		rmSync(join(this.#runs, processId), {recursive: true, force: true});
	}

	/** As the disk counts them: what was dropped from a file takes nothing. */
	outputBytes(processId: ProcessId): number {
		return ['stdout', 'stderr']
			.map(name => statSync(join(this.#runs, processId, name), {throwIfNoEntry: false})?.blocks ?? 0)
			.reduce((sum, blocks) => sum + blocks * blockBytes, 0);
	}

	list(): ProcessId[] {
		return readdirSync(this.#runs).filter(name => processIdPattern.test(name));
	}

	/** O_EXCL, as the shims take it: one of us gets it. */
	takeClaim(processId: ProcessId): boolean {
		const path = join(this.#runs, processId, 'claim');
		let descriptor: number;
		try {
			descriptor = openSync(path, 'wx', 0o600);
		} catch (error) {
			switch ((error as NodeJS.ErrnoException).code) {
				case 'EEXIST':
					return false;
				case 'ENOENT':
					// Somebody removed the directory: no shim can take it either.
					return true;
				default:
					throw this.#translate(error);
			}
		}

		try {
			writeSync(descriptor, supervisorClaim);
			return true;
		} catch (error) {
			// On a full disk. An empty claim would be nobody's, and the command would wait for ever.
			rmSync(path, {force: true});
			throw this.#translate(error);
		} finally {
			closeSync(descriptor);
		}
	}

	#translate(error: unknown): unknown {
		const {code} = error as NodeJS.ErrnoException;
		return code === 'ENOSPC' || code === 'EDQUOT' ? new StorageFullError(this.stateDir, {cause: error}) : error;
	}

	readClaim(processId: ProcessId): Claim {
		const content = readIfThere(join(this.#runs, processId, 'claim'));
		if (content === null) {
			return {by: 'nobody'};
		}

		const shim = /^(\d+) (\d+) ([\da-f]{8})\n$/.exec(content);
		if (shim !== null) {
			return {by: 'shim', identity: {pid: Number(shim[1]), startTicks: Number(shim[2]), bootId: String(shim[3])}};
		}

		return {by: content === supervisorClaim ? 'supervisor' : 'unknown'};
	}

	readRecord(processId: ProcessId): Report {
		try {
			const descriptor = openSync(join(this.records, processId), readFlags);
			try {
				const length = readSync(descriptor, this.#buffer, 0, recordBytes, 0);
				return parseRecord(this.#buffer.toString('latin1', 0, length));
			} finally {
				closeSync(descriptor);
			}
		} catch {
			// Somebody removed it, or put something else there: then nothing is known, as if it had not been written.
			return parseRecord('');
		}
	}

	closeRecord(processId: ProcessId, endedAt: number): void {
		this.#writeLine(processId, lineOffsets.end, closedRecordLine(endedAt));
	}

	orderStop(processId: ProcessId, stop: Stop): void {
		this.#writeLine(processId, lineOffsets.stop, stopOrderLine(stop));
	}

	/** In place: that needs no room. A record that its command has replaced stays as it is. */
	#writeLine(processId: ProcessId, offset: number, line: string): void {
		try {
			const descriptor = openSync(join(this.records, processId), updateFlags);
			try {
				writeSync(descriptor, line, offset);
			} finally {
				closeSync(descriptor);
			}
		} catch (error) {
			if (!replaced.has((error as NodeJS.ErrnoException).code)) {
				throw error;
			}
		}
	}

	readSpecification(processId: ProcessId): SpecifiedProcess | null {
		const text = readIfThere(join(this.#runs, processId, 'spec'));
		try {
			return text === null ? null : readSpecification(text, processId, () => readStateFile(this.linePath(processId)));
		} catch {
			// Damaged, and so of no use: the caller says what becomes of it.
			return null;
		}
	}
}

function writeNew(path: string, content: string): void {
	writeFileSync(path, content, {flag: 'wx', mode: 0o600});
}

function readIfThere(path: string): string | null {
	try {
		return readStateFile(path);
	} catch {
		// ENOENT is the usual case; what cannot be read is as good as missing.
		return null;
	}
}
