import {closeSync, fstatSync, lstatSync, openSync, read, readSync} from 'node:fs';
import {promisify} from 'node:util';
import type {Disk, Logger, OutputLog, OutputTail} from '../ports.js';
import type {ProcessId} from '../process.js';
import {readFlags} from '../state-file.js';
import type {OutputExtent, OutputPiece, OutputStream} from '../streams.js';
import {inject, injectable, Tokens} from '../tokens.js';
import {dropOldest} from './drop.js';
import {type Layout, LayoutFile} from './layout.js';
import {OutputWatches} from './output-watches.js';

const nothing: OutputTail = {text: '', totalBytes: 0, baseOffset: 0};
const readInBackground = promisify(read);

/** Reads the files that commands write themselves. */
@injectable()
export class FileOutputLog implements OutputLog {
	readonly #watches: OutputWatches;

	constructor(
		@inject(Tokens.stateDir) private readonly stateDir: string,
		@inject(Tokens.disk) private readonly disk: Disk,
		@inject(Tokens.logger) logger: Logger,
	) {
		this.#watches = new OutputWatches(stateDir, logger);
	}

	tail(processId: ProcessId, maxBytes: number): {stdout: OutputTail; stderr: OutputTail} {
		return {
			stdout: this.#tail(processId, 'stdout', maxBytes),
			stderr: this.#tail(processId, 'stderr', maxBytes),
		};
	}

	async read(processId: ProcessId, stream: OutputStream, offset: number, limit: number): Promise<OutputPiece> {
		const descriptor = openIfThere(this.#path(processId, stream));
		if (descriptor === null) {
			return {bytes: new Uint8Array(), offset, nextOffset: offset, baseOffset: 0, totalBytes: 0, gap: null};
		}

		try {
			return await this.#read(descriptor, () => this.#layout(processId, stream, descriptor), offset, limit);
		} finally {
			closeSync(descriptor);
		}
	}

	extent(processId: ProcessId, stream: OutputStream): OutputExtent {
		const stat = lstatSync(this.#path(processId, stream), {throwIfNoEntry: false});
		if (stat === undefined || !stat.isFile()) {
			return {baseOffset: 0, totalBytes: 0};
		}

		const {size} = stat;
		const {base, shift} = new LayoutFile(this.stateDir, processId).read(stream, size);
		return {baseOffset: base, totalBytes: size + shift};
	}

	watch(processId: ProcessId, onChange: () => void): () => void {
		return this.#watches.add(processId, onChange);
	}

	async drop(processId: ProcessId, stream: OutputStream, keepBytes: number): Promise<void> {
		const layouts = new LayoutFile(this.stateDir, processId);
		await dropOldest(this.#path(processId, stream), keepBytes, this.disk, {
			read: size => layouts.read(stream, size),
			write: layout => layouts.write(stream, layout),
		});
	}

	close(): void {
		this.#watches.close();
	}

	#tail(processId: ProcessId, stream: OutputStream, maxBytes: number): OutputTail {
		if (maxBytes === 0) {
			// Nothing is opened for it: a list asks for a hundred at a time.
			return {text: '', ...this.extent(processId, stream)};
		}

		const descriptor = openUnlessReplaced(this.#path(processId, stream));
		if (descriptor === null) {
			return nothing;
		}

		try {
			const {base, shift, totalBytes} = this.#layout(processId, stream, descriptor);
			const offset = Math.max(base, totalBytes - maxBytes);
			// A command may truncate its own file, even to before what was dropped.
			const tail = Buffer.allocUnsafe(Math.max(0, totalBytes - offset));
			const length = tail.length === 0 ? 0 : readSync(descriptor, tail, 0, tail.length, offset - shift);
			return {text: toText(tail.subarray(0, length), offset > 0), totalBytes, baseOffset: base};
		} finally {
			closeSync(descriptor);
		}
	}

	async #read(descriptor: number, look: () => Look, offset: number, limit: number): Promise<OutputPiece> {
		for (;;) {
			const {base, shift, totalBytes} = look();
			const start = Math.max(offset, base);
			const length = Math.max(0, Math.min(limit, totalBytes - start));
			const bytes = length === 0 ? Buffer.alloc(0) : await readAt(descriptor, length, start - shift);
			const after = look();
			// Unless they were dropped meanwhile: then these may be others, or none.
			if (after.shift === shift && after.base <= start) {
				const gap = start > offset ? {from: offset, to: start} : null;
				return {bytes, offset: start, nextOffset: start + bytes.length, baseOffset: base, totalBytes, gap};
			}
		}
	}

	#layout(processId: ProcessId, stream: OutputStream, descriptor: number): Look {
		const {size} = fstatSync(descriptor);
		const layout = new LayoutFile(this.stateDir, processId).read(stream, size);
		return {...layout, totalBytes: size + layout.shift};
	}

	#path(processId: ProcessId, stream: OutputStream): string {
		// `join` takes as long as the look at the file.
		return `${this.stateDir}/runs/${processId}/${stream}`;
	}
}

interface Look extends Layout {
	readonly totalBytes: number;
}

/** Where a list is shown: a file that its command replaced must not hide all others. */
function openUnlessReplaced(path: string): number | null {
	try {
		return openIfThere(path);
	} catch {
		// A link, a FIFO, a directory: nothing that can be shown.
		return null;
	}
}

function openIfThere(path: string): number | null {
	let descriptor: number;
	try {
		descriptor = openSync(path, readFlags);
	} catch (error) {
		// It has not begun, or was forgotten. Whatever else is wrong must not look like the end of an output.
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
			return null;
		}

		throw error;
	}

	if (!fstatSync(descriptor).isFile()) {
		closeSync(descriptor);
		throw new Error(`${path} is no file: somebody has replaced it`);
	}

	return descriptor;
}

/** Not in the way of others: the disk may be slow. */
async function readAt(descriptor: number, length: number, position: number): Promise<Buffer> {
	const {bytesRead, buffer} = await readInBackground(descriptor, Buffer.allocUnsafe(length), 0, length, position);
	return buffer.subarray(0, bytesRead);
}

/**
 * Bytes as text. Where the beginning was cut off, a character that was cut in two is left out
 * (UTF-8 continuation bytes are 10xxxxxx, at most three, RFC 3629).
 */
export function toText(bytes: Buffer, isCut: boolean): string {
	let start = 0;
	while (isCut && start < Math.min(3, bytes.length) && ((bytes[start] ?? 0) & 0xc0) === 0x80) {
		start++;
	}

	return bytes.toString('utf8', start);
}
