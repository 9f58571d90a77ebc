import {closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync} from 'node:fs';
import type {Disk} from '../ports.js';
import {updateFlags} from '../state-file.js';
import type {Layout} from './layout.js';

/** Where the layout of the stream is kept. */
interface KeptLayout {
	read(fileSize: number): Layout;
	write(layout: Layout): void;
}

/** What is moved at once, in the way of everybody else: some milliseconds. */
const maxMovedBytes = 8 * 1024 * 1024;
const stepBytes = 1024 * 1024;

/**
 * Drops the oldest bytes of a file that somebody appends to, and never learns of it. First the layout says that they
 * are gone, then they go: so nobody is shown zeros for them, whoever is killed in between.
 *
 * By a hole where that is possible. Else by moving the end to the beginning and cutting the file behind it, which keeps
 * no more than 8 MiB, and a quarter of the file: so what is kept stays whole where it was until the file is cut, and
 * the size tells ever after whether it has been.
 */
export async function dropOldest(path: string, keepBytes: number, disk: Disk, kept: KeptLayout): Promise<void> {
	// For reading and writing, but no longer than a step takes.
	const descriptor = openSync(path, updateFlags);
	try {
		const {size} = fstatSync(descriptor);
		const layout = kept.read(size);
		const start = size - keepBytes;
		if (start + layout.shift <= layout.base) {
			return;
		}

		if (!(await dropByHole(path, start, disk, layout, kept))) {
			dropByMoving(descriptor, keepBytes, kept);
		}
	} finally {
		closeSync(descriptor);
	}
}

async function dropByHole(path: string, start: number, disk: Disk, layout: Layout, kept: KeptLayout): Promise<boolean> {
	kept.write({...layout, base: layout.shift + start});
	let isDone = false;
	try {
		isDone = await disk.punchHole(path, start);
		return isDone;
	} finally {
		if (!isDone) {
			kept.write(layout);
		}
	}
}

/** Nothing is awaited in here: no reader of ours sees a file that is half moved. */
function dropByMoving(descriptor: number, keepBytes: number, kept: KeptLayout): void {
	const {size} = fstatSync(descriptor);
	const {shift} = kept.read(size);
	const cutAt = size - Math.min(keepBytes, maxMovedBytes, Math.floor(size / 4));
	kept.write({base: shift + cutAt, shift, cutAt});
	const moved = moveToBeginning(descriptor, cutAt);
	// What is written between the last look and this call is lost, and not counted: nobody can know of it.
	if (moved === null) {
		const {size: lost} = fstatSync(descriptor);
		ftruncateSync(descriptor, 0);
		kept.write({base: shift + lost, shift: shift + lost, cutAt: null});
	} else {
		ftruncateSync(descriptor, moved);
		kept.write({base: shift + cutAt, shift: shift + cutAt, cutAt: null});
	}
}

/** Until the end, however much is written meanwhile; `null` where that is faster than we are. */
function moveToBeginning(descriptor: number, from: number): number | null {
	const buffer = Buffer.allocUnsafe(stepBytes);
	for (let moved = 0; ; ) {
		const length = readSync(descriptor, buffer, 0, stepBytes, from + moved);
		if (length === 0) {
			return moved;
		}

		if (moved + length > from / 2) {
			return null;
		}

		writeSync(descriptor, buffer, 0, length, moved);
		moved += length;
	}
}
