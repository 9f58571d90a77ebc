import test from 'ava';
import {closedRecordLine, emptyRecord, parseRecord, recordBytes, stopOrderLine} from '../../../lib/keeper/record.js';
import {aDeadlineHeld, aStop} from '../../helpers/a-process.js';

const started = 'S    4711        1000    4710    4700 1767225600000123 0123abcd';
const ended = 'E   3         1150 1767225601500999';
const stopped = 'K         1100';
const ordered = 'R         1100        500';
const lineAt = {start: 0, end: 64, stop: 100} as const;

/** The record after these writes, each in place at the beginning of its line. */
function written(writes: Partial<Record<keyof typeof lineAt, string>>): string {
	const record = Buffer.from(emptyRecord, 'latin1');
	for (const [line, text] of Object.entries(writes) as [keyof typeof lineAt, string][]) {
		record.write(text, lineAt[line], 'latin1');
	}

	return record.toString('latin1');
}

const start = {
	identity: {bootId: '0123abcd', pid: 4711, startTicks: 1000},
	shimPid: 4710,
	sessionId: 4700,
	startedAt: 1_767_225_600_000,
};
const end = {exitCode: 3, endedAt: 1_767_225_601_500, durationMs: 1500};
const nothing = {start: null, end: null, stop: null, leftoverStop: null};

test('a record has 128 bytes from the first day on', t => {
	t.deepEqual([Buffer.byteLength(emptyRecord), recordBytes], [128, 128]);
});

test('a new record tells nothing', t => {
	t.deepEqual(parseRecord(emptyRecord), nothing);
});

test('a record that was started tells of whom and when', t => {
	t.deepEqual(parseRecord(written({start: started})), {...nothing, start});
});

test('a record that has ended tells exit code, time and duration', t => {
	t.deepEqual(parseRecord(written({start: started, end: ended})), {...nothing, start, end});
});

test("a record tells when the dead man's switch sent SIGTERM, with and without an end", t => {
	const stop = aDeadlineHeld(11_000);

	t.deepEqual(
		[written({start: started, stop: stopped}), written({start: started, end: ended, stop: stopped})].map(parseRecord),
		[
			{...nothing, start, stop},
			{...nothing, start, end, stop},
		],
	);
});

test('a kill that the supervisor ordered is told from a deadline, before SIGTERM and after it', t => {
	const stop = {why: 'request', atUptimeMs: 11_000, gracePeriodMs: 5000} as const;

	t.deepEqual(
		[ordered.replace('R', 'r'), ordered].map(line => parseRecord(written({start: started, stop: line})).stop),
		[
			{...stop, isSignaled: false},
			{...stop, isSignaled: true},
		],
	);
});

test('an order that was not asked for yet is overwritten by one that was, in the same room', t => {
	const asked = stopOrderLine({...aStop, atUptimeMs: 11_009, gracePeriodMs: 5001, isSignaled: true});
	const longest = stopOrderLine({...aStop, atUptimeMs: 9_999_999_999_999, gracePeriodMs: 24 * 3600 * 1000});

	t.is(asked, 'R         1100        501');
	t.deepEqual(
		[stopOrderLine(aStop), longest].map(({length}) => length),
		[asked.length, asked.length],
	);
	t.true(asked.length <= 27);
});

test('a stop after the end was for what was left behind, and is no stop of the process', t => {
	const later = 'K         1151';
	const order = 'r         1151          0';
	const atOnce = 'K         1150';

	t.deepEqual(
		[later, order].map(stop => parseRecord(written({start: started, end: ended, stop}))),
		[aDeadlineHeld(11_510), {why: 'request', atUptimeMs: 11_510, gracePeriodMs: 0, isSignaled: false} as const].map(
			leftoverStop => ({...nothing, start, end, leftoverStop}),
		),
	);
	t.like(parseRecord(written({start: started, end: ended, stop: atOnce})), {
		stop: aDeadlineHeld(11_500),
		leftoverStop: null,
	});
});

test('an end without a start is a failed start, whatever the code', t => {
	const reports = [ended, ended.replace('  3', '---')].map(line => parseRecord(written({end: line})));

	for (const report of reports) {
		t.is(report.start, null);
		t.like(report.end, {why: 'start_failed', exitCode: null, durationMs: null, endedAt: end.endedAt});
		t.regex(report.end?.message ?? '', /could not be started/);
	}
});

test('a record closed by the supervisor has no exit code', t => {
	t.like(parseRecord(written({start: started, end: closedRecordLine(1_767_225_600_000)})).end, {
		exitCode: null,
		endedAt: 1_767_225_600_000,
		durationMs: null,
		why: 'lost',
	});
});

test('the supervisor closes a record within the room that was made for it', t => {
	t.is(closedRecordLine(1_767_225_600_000).length, ended.length);
});

test('every exit code from 0 to 255 is read as it was written', t => {
	const codes = Array.from({length: 256}, (_, code) => code);

	const read = codes.map(code =>
		parseRecord(written({start: started, end: ended.replace('  3', String(code).padStart(3))})),
	);

	t.deepEqual(
		read.map(report => report.end?.exitCode),
		codes,
	);
});

test('the largest numbers that the kernel can give fit', t => {
	const line = 'S 4194304 99999999999 4194303 4194302 4102444800000999 ffffffff';

	t.deepEqual(parseRecord(written({start: line})).start, {
		identity: {bootId: 'ffffffff', pid: 4_194_304, startTicks: 99_999_999_999},
		shimPid: 4_194_303,
		sessionId: 4_194_302,
		startedAt: 4_102_444_800_000,
	});
});

test('an end before the start, by the clock since boot, has no negative duration', t => {
	t.is(parseRecord(written({start: started, end: ended.replace('1150', ' 999')})).end?.durationMs, 0);
});

for (const [name, line] of [
	['start', started],
	['end', ended],
	['stop', stopped],
	['stop', ordered],
] as const) {
	test(`of a line that was cut short nothing is believed, wherever it was cut: ${name}, ${line.charAt(0)}`, t => {
		for (let length = 0; length < line.length; length++) {
			t.deepEqual(parseRecord(written({[name]: line.slice(0, length)})), nothing, `after ${length} bytes`);
		}
	});
}

test('an end that was cut short does not harm the start', t => {
	for (let length = 0; length < ended.length; length++) {
		t.deepEqual(parseRecord(written({start: started, end: ended.slice(0, length)})), {...nothing, start});
	}
});

test('a file that was cut short tells at most what is whole in it', t => {
	const whole = written({start: started, end: ended, stop: stopped});

	const reports = Array.from({length: recordBytes}, (_, length) => parseRecord(whole.slice(0, length)));

	t.deepEqual(
		reports.map(report => [report.start, report.end, report.stop].filter(Boolean).length),
		Array.from({length: recordBytes}, (_, length) => [64, 100, 128].filter(needed => length >= needed).length),
	);
});

test('nothing is believed of zeros, as a power failure leaves them', t => {
	t.deepEqual(parseRecord('\0'.repeat(recordBytes)), nothing);
});

/** Numbers that look random and are the same in every run (Lehmer). */
function numbers(seed: number): (below: number) => number {
	let state = seed;
	return below => {
		state = (state * 48_271) % 2_147_483_647;
		return state % below;
	};
}

test('no garbage becomes a number that is none', t => {
	const next = numbers(1);
	for (let round = 0; round < 50_000; round++) {
		const record = [...written({start: started, end: ended, stop: next(2) === 0 ? stopped : ordered})];
		for (let damage = next(8); damage >= 0; damage--) {
			record[next(recordBytes)] = ' 0123456789SEKR-\nabcf\0'.charAt(next(22));
		}

		const {start, end, stop, leftoverStop} = parseRecord(record.join(''));
		const told = [
			start?.identity.pid,
			start?.identity.startTicks,
			start?.shimPid,
			start?.sessionId,
			start?.startedAt,
			end?.exitCode,
			end?.endedAt,
			end?.durationMs,
			...[stop, leftoverStop].flatMap(order => [order?.atUptimeMs, order?.gracePeriodMs]),
		];
		if (told.some(value => value !== undefined && value !== null && !Number.isSafeInteger(value))) {
			t.fail(`${JSON.stringify(record.join(''))} gave ${JSON.stringify({start, end, stop, leftoverStop})}`);
			return;
		}
	}

	t.pass();
});
