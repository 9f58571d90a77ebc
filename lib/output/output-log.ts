import {closeSync, fstatSync, openSync, readSync} from 'node:fs';
import {join} from 'node:path';
import type {OutputLog, OutputTail} from '../ports.js';
import type {ProcessId} from '../process.js';
import {inject, injectable, Tokens} from '../tokens.js';

const nothing: OutputTail = {text: '', totalBytes: 0};

/** Reads the files that commands write themselves. */
@injectable()
export class FileOutputLog implements OutputLog {
	constructor(@inject(Tokens.stateDir) private readonly stateDir: string) {}

	tail(processId: ProcessId, maxBytes: number): {stdout: OutputTail; stderr: OutputTail} {
		const directory = join(this.stateDir, 'runs', processId);
		return {
			stdout: readTail(join(directory, 'stdout'), maxBytes),
			stderr: readTail(join(directory, 'stderr'), maxBytes),
		};
	}
}

function readTail(path: string, maxBytes: number): OutputTail {
	let descriptor: number;
	try {
		descriptor = openSync(path, 'r');
	} catch {
		// ENOENT: it has not begun.
		return nothing;
	}

	try {
		const {size} = fstatSync(descriptor);
		const tail = Buffer.allocUnsafe(Math.min(size, maxBytes));
		const length = tail.length === 0 ? 0 : readSync(descriptor, tail, 0, tail.length, size - tail.length);
		const isCut = length < size;
		return {text: toText(tail.subarray(0, length), isCut), totalBytes: size};
	} finally {
		closeSync(descriptor);
	}
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
