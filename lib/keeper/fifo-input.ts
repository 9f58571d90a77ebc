import {closeSync, constants, openSync, readFileSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import type {InputPipe, ProcessTable} from '../ports.js';
import type {ProcessId, ProcessIdentity} from '../process.js';
import {inject, injectable, Tokens} from '../tokens.js';

/** Writes into `runs/<id>/stdin`, a FIFO. keeper.sh tells how it is made, and who keeps it open. */
@injectable()
export class FifoInput implements InputPipe {
	constructor(
		@inject(Tokens.stateDir) private readonly stateDir: string,
		@inject(Tokens.processTable) private readonly processTable: ProcessTable,
	) {}

	isOpen(processId: ProcessId): boolean {
		return this.#findHolder(processId) !== null;
	}

	write(processId: ProcessId, bytes: Uint8Array): number | null {
		let descriptor: number;
		try {
			// Without O_NONBLOCK this would wait for a reader (fifo(7)), and so would everybody else here.
			descriptor = openSync(this.#path(processId, 'stdin'), constants.O_WRONLY | constants.O_NONBLOCK);
		} catch (error) {
			return ifUnread(error, 'ENXIO', 'ENOENT');
		}

		try {
			return writeSync(descriptor, bytes);
		} catch (error) {
			return (error as NodeJS.ErrnoException).code === 'EAGAIN' ? 0 : ifUnread(error, 'EPIPE');
		} finally {
			closeSync(descriptor);
		}
	}

	close(processId: ProcessId): void {
		const holder = this.#findHolder(processId);
		if (holder !== null) {
			this.processTable.signal(holder, 'SIGKILL');
		}
	}

	/** Who keeps the pipe open: a file says so, which the command can change. So it must be of our keeper's kind. */
	#findHolder(processId: ProcessId): ProcessIdentity | null {
		try {
			const [pid, startTicks, bootId] = readFileSync(this.#path(processId, 'holder'), 'latin1').trim().split(' ');
			const holder = {pid: Number(pid), startTicks: Number(startTicks), bootId: String(bootId)};
			return this.processTable.isKeeper(holder, this.stateDir) ? holder : null;
		} catch {
			// ENOENT: there never was one.
			return null;
		}
	}

	#path(processId: ProcessId, name: string): string {
		return join(this.stateDir, 'runs', processId, name);
	}
}

/** `null` for an error that says that nobody reads. */
function ifUnread(error: unknown, ...codes: readonly string[]): null {
	if (!codes.includes((error as NodeJS.ErrnoException).code ?? '')) {
		throw error;
	}

	return null;
}
