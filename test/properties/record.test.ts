import test from 'ava';
import fc from 'fast-check';
import {emptyRecord, parseRecord} from '../../lib/keeper/record.js';

const field = (max: number, width: number) => fc.integer({min: 0, max}).map(number => String(number).padStart(width));
const time = fc.bigInt({min: 0n, max: 9_999_999_999_999_999n}).map(number => String(number).padStart(16));
const hex = fc.string({unit: fc.constantFrom(...'0123456789abcdef'), minLength: 8, maxLength: 8});

/** As keeper.sh writes them, each at its place. */
const startLine = fc
	.tuple(field(4_194_304, 7), field(99_999_999_999, 11), field(4_194_304, 7), field(4_194_304, 7), time, hex)
	.map(fields => ({at: 0, text: `S ${fields.join(' ')}`}));
const endLine = fc
	.tuple(fc.oneof(field(255, 3), fc.constant('---')), field(999_999_999_999, 12), time)
	.map(fields => ({at: 64, text: `E ${fields.join(' ')}`}));
const deadlineLine = field(999_999_999_999, 12).map(uptime => ({at: 100, text: `K ${uptime}`}));
const orderLine = fc
	.tuple(fc.constantFrom('R', 'r'), field(999_999_999_999, 12), field(9_999_999_999, 10))
	.map(fields => ({at: 100, text: fields.join(' ')}));

interface Write {
	readonly at: number;
	readonly text: string;
}

function written(record: Buffer, {at, text}: Write, bytes = text.length): Buffer {
	const copy = Buffer.from(record);
	copy.write(text.slice(0, bytes), at, 'latin1');
	return copy;
}

const read = (record: Buffer) => parseRecord(record.toString('latin1'));
const empty = Buffer.from(emptyRecord, 'latin1');

test('of any line that was cut short nothing is believed before its last byte', t => {
	fc.assert(
		fc.property(fc.oneof(startLine, endLine, deadlineLine, orderLine), fc.nat(), (line, cut) => {
			const bytes = cut % line.text.length;

			t.deepEqual(read(written(empty, line, bytes)), read(empty));
		}),
		{numRuns: 500},
	);
});

test('an end that was cut short tells what was known before, and a whole one tells its exit code', t => {
	fc.assert(
		fc.property(startLine, endLine, fc.nat(), (start, end, cut) => {
			const started = written(empty, start);

			t.deepEqual(read(written(started, end, cut % end.text.length)), read(started));
			const code = end.text.slice(2, 5);
			t.is(read(written(started, end)).end?.exitCode, code === '---' ? null : Number(code));
		}),
		{numRuns: 500},
	);
});

test('what was found is what was written', t => {
	fc.assert(
		fc.property(startLine, start => {
			const [pid, ticks, shimPid, sessionId, microseconds, bootId] = start.text.slice(2).trim().split(/ +/);

			t.deepEqual(read(written(empty, start)).start, {
				identity: {bootId: String(bootId), pid: Number(pid), startTicks: Number(ticks)},
				shimPid: Number(shimPid),
				sessionId: Number(sessionId),
				startedAt: Math.floor(Number(microseconds) / 1000),
			});
		}),
		{numRuns: 500},
	);
});

test('no bytes make a number that is none', t => {
	fc.assert(
		fc.property(fc.uint8Array({maxLength: 200}), bytes => {
			const {start, end, stop} = read(Buffer.from(bytes));
			const numbers = [
				start?.identity.pid,
				start?.startedAt,
				end?.exitCode,
				end?.endedAt,
				stop?.atUptimeMs,
				stop?.gracePeriodMs,
			];

			t.true(numbers.every(number => number === undefined || number === null || Number.isSafeInteger(number)));
		}),
		{numRuns: 500},
	);
});
