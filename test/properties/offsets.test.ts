import {appendFileSync, mkdirSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import {findPrograms} from '../../lib/keeper/programs.js';
import {SystemDisk} from '../../lib/os/disk.js';
import {FileOutputLog} from '../../lib/output/output-log.js';
import {RecordingLogger} from '../helpers/recording-logger.js';
import {makeTempDir} from '../helpers/temp-dir.js';

/** What is written at these offsets: never zero, which is what a hole reads as. */
function bytesAt(from: number, to: number): Buffer {
	return Buffer.from(
		Array.from({length: to - from}, (_, index) => 1 + (((from + index) * 31 + ((from + index) >> 8)) % 255)),
	);
}

/** One stream, with all that was ever written to it for a model. */
class Stream {
	#written = 0;
	#base = 0;
	readonly #path: string;

	constructor(
		private readonly t: ExecutionContext,
		private readonly stateDir: string,
		private readonly processId: string,
		private readonly fallocate: string | null,
	) {
		this.#path = join(stateDir, 'runs', processId, 'stdout');
		mkdirSync(dirname(this.#path), {recursive: true});
		writeFileSync(this.#path, '');
	}

	/** A new one each time: what was dropped must be known to the next supervisor, too. */
	get #log(): FileOutputLog {
		return new FileOutputLog(this.stateDir, new SystemDisk(this.stateDir, this.fallocate), new RecordingLogger());
	}

	write(length: number): void {
		appendFileSync(this.#path, bytesAt(this.#written, this.#written + length));
		this.#written += length;
	}

	async drop(keep: number): Promise<void> {
		await this.#log.drop(this.processId, 'stdout', keep);

		const {baseOffset} = this.#log.extent(this.processId, 'stdout');
		const wanted = Math.max(this.#base, this.#written - keep);
		// By moving, more may go than was asked for.
		this.t.true(this.fallocate === null ? wanted <= baseOffset && baseOffset <= this.#written : baseOffset === wanted);
		this.#base = baseOffset;
	}

	async read(from: number, limit: number): Promise<void> {
		const {bytes, ...where} = await this.#log.read(this.processId, 'stdout', from, limit);

		const offset = Math.max(from, this.#base);
		const nextOffset = Math.max(offset, Math.min(this.#written, offset + limit));
		const gap = offset > from ? {from, to: offset} : null;
		this.t.deepEqual(where, {offset, nextOffset, baseOffset: this.#base, totalBytes: this.#written, gap});
		this.t.true(bytesAt(offset, nextOffset).equals(bytes));
	}
}

const size = fc.integer({min: 1, max: 20_000});

/** The command writes, we drop all but the newest bytes, somebody reads. */
const step = fc.oneof(
	size.map(length => (stream: Stream) => stream.write(length)),
	size.map(keep => (stream: Stream) => stream.drop(keep)),
	fc.tuple(fc.nat(60_000), size).map(
		([offset, limit]) =>
			(stream: Stream) =>
				stream.read(offset, limit),
	),
);

const {fallocate} = findPrograms();

for (const [how, program] of [
	['by holes', fallocate],
	['by moving the end', null],
] as const) {
	const dropping = how === 'by holes' && fallocate === null ? test.skip : test;

	dropping(`whatever is written, dropped ${how} and read, an offset means one byte for ever`, async t => {
		const stateDir = makeTempDir(t);
		let count = 0;
		await fc.assert(
			fc.asyncProperty(fc.array(step, {maxLength: 20}), async steps => {
				const stream = new Stream(t, stateDir, `proc_${++count}`, program);
				for (const take of steps) {
					await take(stream);
				}
			}),
			{numRuns: 100},
		);
	});
}
