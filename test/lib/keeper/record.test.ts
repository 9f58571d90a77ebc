import test from 'ava';
import {closedRecordLine, emptyRecord, parseRecord, recordBytes} from '../../../lib/keeper/record.js';

const started = 'S    4711        1000    4710    4700 1767225600000123 0123abcd';
const ended = 'E   3         1150 1767225601500999';
const stopped = 'K         1100';
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
const nothing = {start: null, end: null, stoppedAtUptimeMs: null};

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
	const stoppedAtUptimeMs = 11_000;

	t.deepEqual(
		[written({start: started, stop: stopped}), written({start: started, end: ended, stop: stopped})].map(parseRecord),
		[
			{start, end: null, stoppedAtUptimeMs},
			{start, end, stoppedAtUptimeMs},
		],
	);
});

test('a stop after the end was for what was left behind, and is no stop of the process', t => {
	const later = 'K         1151';
	const atOnce = 'K         1150';

	t.deepEqual(parseRecord(written({start: started, end: ended, stop: later})), {...nothing, start, end});
	t.is(parseRecord(written({start: started, end: ended, stop: atOnce})).stoppedAtUptimeMs, 11_500);
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

for (const [name, line] of Object.entries({start: started, end: ended, stop: stopped})) {
	test(`of a line that was cut short nothing is believed, wherever it was cut: ${name}`, t => {
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
		reports.map(report => [report.start, report.end, report.stoppedAtUptimeMs].filter(Boolean).length),
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
		const record = [...written({start: started, end: ended, stop: stopped})];
		for (let damage = next(8); damage >= 0; damage--) {
			record[next(recordBytes)] = ' 0123456789SEK-\nabcf\0'.charAt(next(21));
		}

		const {start, end, stoppedAtUptimeMs} = parseRecord(record.join(''));
		const told = [
			start?.identity.pid,
			start?.identity.startTicks,
			start?.shimPid,
			start?.sessionId,
			start?.startedAt,
			end?.exitCode,
			end?.endedAt,
			end?.durationMs,
			stoppedAtUptimeMs,
		];
		if (told.some(value => value !== undefined && value !== null && !Number.isSafeInteger(value))) {
			t.fail(`${JSON.stringify(record.join(''))} gave ${JSON.stringify({start, end, stoppedAtUptimeMs})}`);
			return;
		}
	}

	t.pass();
});
