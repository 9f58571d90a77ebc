import {closeSync, constants, openSync, statSync, writeSync} from 'node:fs';
import * as v from 'valibot';
import type {ProcessId} from '../process.js';
import {readStateFile, updateFlags} from '../state-file.js';
import type {OutputStream} from '../streams.js';

/** Where the bytes of a stream are in its file. */
export interface Layout {
	/** Offset of the first byte that is kept. */
	readonly base: number;
	/** A byte is in the file at its offset less this much. */
	readonly shift: number;
	/**
	 * Where in the file the bytes begin that are being moved to its beginning; the file is then cut behind them.
	 * Left over by a supervisor that was killed in between.
	 */
	readonly cutAt: number | null;
}

type Layouts = {readonly [Stream in OutputStream]?: Layout | undefined};

const position = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const layoutSchema = v.optional(v.object({base: position, shift: position, cutAt: v.nullable(position)}));
const layoutsSchema = v.object({stdout: layoutSchema, stderr: layoutSchema});

/** Most streams: everything is there, where it was written. */
const whole: Layout = {base: 0, shift: 0, cutAt: null};

/** Of fixed size, so that it can be overwritten on a full disk, at once. */
const fileBytes = 256;

/** The file of a process that tells what was dropped of its output, `runs/<id>/dropped`. None: nothing was. */
export class LayoutFile {
	readonly #path: string;

	constructor(stateDir: string, processId: ProcessId) {
		this.#path = `${stateDir}/runs/${processId}/dropped`;
	}

	/** The layout of a stream whose file has this size now. */
	read(stream: OutputStream, fileSize: number): Layout {
		const layout = this.#readAll()[stream] ?? whole;
		return layout.cutAt === null ? layout : this.#settle(stream, layout, layout.cutAt, fileSize);
	}

	write(stream: OutputStream, layout: Layout): void {
		const text = JSON.stringify({...this.#readAll(), [stream]: layout});
		const descriptor = openSync(this.#path, updateFlags | constants.O_CREAT, 0o600);
		try {
			writeSync(descriptor, `${text.padEnd(fileBytes - 1)}\n`, 0);
		} finally {
			closeSync(descriptor);
		}
	}

	/**
	 * A supervisor was killed while it cut the file. What is kept of it lies whole before the cut, and shorter than
	 * where it came from after it: the size tells, unless the command has written all that again meanwhile.
	 */
	#settle(stream: OutputStream, {base, shift}: Layout, cutAt: number, fileSize: number): Layout {
		const settled = {base, shift: fileSize < cutAt ? shift + cutAt : shift, cutAt: null};
		try {
			this.write(stream, settled);
		} catch {
			// A full disk, for instance: it will be settled again, and can be read meanwhile.
		}

		return settled;
	}

	#readAll(): Layouts {
		// Of a thousand in a list hardly one has it, and an exception costs more than this look.
		if (statSync(this.#path, {throwIfNoEntry: false}) === undefined) {
			return {};
		}

		try {
			return v.parse(layoutsSchema, JSON.parse(readStateFile(this.#path)));
		} catch {
			// Made, and not written: the power failed, or the disk was full. Then nothing was dropped yet. Or its command
			// wrote something there.
			return {};
		}
	}
}
