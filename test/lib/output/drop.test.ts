import {appendFileSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {Disk} from '../../../lib/index.js';
import {findPrograms} from '../../../lib/keeper/programs.js';
import {SystemDisk} from '../../../lib/os/disk.js';
import {dropOldest} from '../../../lib/output/drop.js';
import type {Layout} from '../../../lib/output/layout.js';
import {FileOutputLog} from '../../../lib/output/output-log.js';
import {RecordingLogger} from '../../helpers/recording-logger.js';
import {makeTempDir} from '../../helpers/temp-dir.js';

const mebibyte = 1024 * 1024;

/** The stream of a test: each line tells where it begins. */
function lines(from: number, to: number): string {
	return Array.from({length: (to - from) / 16}, (_, index) => `${String(from + index * 16).padStart(15)}\n`).join('');
}

/** A process that has written so much to standard output. */
function write(t: ExecutionContext, totalBytes: number, fallocate: string | null) {
	const stateDir = makeTempDir(t);
	const directory = join(stateDir, 'runs', 'proc_1');
	mkdirSync(directory, {recursive: true});
	const path = join(directory, 'stdout');
	writeFileSync(path, lines(0, totalBytes));
	const open = (disk: Disk = new SystemDisk(stateDir, fallocate)) =>
		new FileOutputLog(stateDir, disk, new RecordingLogger());
	return {path, directory, open, log: open()};
}

async function readText(log: FileOutputLog, offset: number, limit: number) {
	const {bytes, ...where} = await log.read('proc_1', 'stdout', offset, limit);
	return {text: Buffer.from(bytes).toString(), ...where};
}

const {fallocate} = findPrograms();

for (const [how, program] of [
	['a hole', fallocate],
	['moving the end', null],
] as const) {
	const droppingTest = how === 'a hole' && fallocate === null ? test.skip : test;

	droppingTest(`by ${how}: offsets stay true when the oldest bytes are dropped, and more is written`, async t => {
		const {path, log} = write(t, 4 * mebibyte, program);

		await log.drop('proc_1', 'stdout', mebibyte);
		appendFileSync(path, lines(4 * mebibyte, 4 * mebibyte + 160));

		const {baseOffset, totalBytes} = log.extent('proc_1', 'stdout');
		t.deepEqual([baseOffset, totalBytes], [3 * mebibyte, 4 * mebibyte + 160]);
		for (const offset of [baseOffset, 4 * mebibyte - 16, 4 * mebibyte + 16]) {
			t.deepEqual(await readText(log, offset, 32), {
				text: lines(offset, offset + 32),
				offset,
				nextOffset: offset + 32,
				baseOffset,
				totalBytes,
				gap: null,
			});
		}
	});

	droppingTest(`by ${how}: whoever asks for what is gone is told, and given what comes after it`, async t => {
		const {log} = write(t, 4 * mebibyte, program);
		await log.drop('proc_1', 'stdout', mebibyte);

		const {text, offset, gap} = await readText(log, 100, 16);

		t.deepEqual([text, offset, gap], [lines(offset, offset + 16), 3 * mebibyte, {from: 100, to: 3 * mebibyte}]);
	});

	droppingTest(`by ${how}: the disk gets back what was dropped`, async t => {
		const {path, log} = write(t, 4 * mebibyte, program);

		await log.drop('proc_1', 'stdout', mebibyte);

		t.true(statSync(path).blocks * 512 <= mebibyte + 65_536);
	});

	droppingTest(`by ${how}: again and again, also by the next supervisor`, async t => {
		const {path, open} = write(t, mebibyte, program);

		for (let total = mebibyte; total < 8 * mebibyte; total += mebibyte) {
			appendFileSync(path, lines(total, total + mebibyte));
			await open().drop('proc_1', 'stdout', 65_536);
		}

		const {offset, text, totalBytes} = await readText(open(), 0, 1024);
		t.deepEqual([totalBytes, offset], [8 * mebibyte, 8 * mebibyte - 65_536]);
		t.is(text, lines(offset, offset + 1024));
	});

	droppingTest(`by ${how}: the end is shown, and never what is gone`, async t => {
		const {log} = write(t, 4 * mebibyte, program);

		await log.drop('proc_1', 'stdout', 160);

		t.deepEqual(log.tail('proc_1', mebibyte).stdout, {
			text: lines(4 * mebibyte - 160, 4 * mebibyte),
			totalBytes: 4 * mebibyte,
			baseOffset: 4 * mebibyte - 160,
		});
	});

	droppingTest(`by ${how}: what is within its bound stays`, async t => {
		const {log, path} = write(t, 1600, program);

		await log.drop('proc_1', 'stdout', 1600);

		t.is(readFileSync(path, 'utf8'), lines(0, 1600));
		t.is(log.extent('proc_1', 'stdout').baseOffset, 0);
	});
}

test('what was noted of it is nobody else’s to read', async t => {
	const {log, directory} = write(t, 1600, null);

	await log.drop('proc_1', 'stdout', 160);

	t.is(statSync(join(directory, 'dropped')).mode & 0o777, 0o600);
});

test('by moving no more than a quarter of a file is kept, so that a crash can be told', async t => {
	const {log} = write(t, 1600, null);

	await log.drop('proc_1', 'stdout', 1500);

	t.is(log.extent('proc_1', 'stdout').baseOffset, 1200);
});

test('a hole that cannot be made for now leaves everything as it was', async t => {
	const {open} = write(t, 1600, null);
	const log = open({freeBytes: () => 0, punchHole: () => Promise.reject(new Error('mine'))});

	await t.throwsAsync(log.drop('proc_1', 'stdout', 160), {message: 'mine'});

	t.is((await readText(log, 0, 16)).text, lines(0, 16));
});

test('a reader under way when bytes are dropped is not shown others in their place', async t => {
	for (let round = 0; round < 30; round++) {
		const {log} = write(t, 4 * mebibyte, null);

		const reading = readText(log, 0, mebibyte);
		const dropping = log.drop('proc_1', 'stdout', mebibyte);
		const {text, offset, gap} = await reading;
		await dropping;

		t.true(text === lines(offset, offset + mebibyte), `in round ${round}, at ${offset}`);
		t.deepEqual(gap, offset === 0 ? null : {from: 0, to: offset});
	}
});

test('what is about to go is noted before, and where it went after: a crash finds one or the other', async t => {
	const {path} = write(t, 1600, null);
	const noted: {layout: Layout; fileSize: number}[] = [];
	let layout: Layout = {base: 0, shift: 0, cutAt: null};

	await dropOldest(path, 160, new SystemDisk('/', null), {
		read: () => layout,
		write: next => {
			layout = next;
			noted.push({layout, fileSize: statSync(path).size});
		},
	});

	t.deepEqual(noted.slice(-2), [
		{layout: {base: 1440, shift: 0, cutAt: 1440}, fileSize: 1600},
		{layout: {base: 1440, shift: 1440, cutAt: null}, fileSize: 160},
	]);
});

test('before a hole is made, it is noted that there will be one', async t => {
	const {path} = write(t, 1600, null);
	const steps: string[] = [];

	await dropOldest(
		path,
		160,
		{
			freeBytes: () => 0,
			punchHole: async (_, length) => steps.push(`hole of ${length}`) > 0,
		},
		{
			read: () => ({base: 0, shift: 0, cutAt: null}),
			write: ({base}) => steps.push(`base at ${base}`),
		},
	);

	t.deepEqual(steps, ['base at 1440', 'hole of 1440']);
});

/** As a supervisor leaves it that was killed half-way: the last quarter of the file is on its way to the beginning. */
function interrupt(directory: string) {
	const layout = {stdout: {base: 1200, shift: 0, cutAt: 1200}};
	writeFileSync(join(directory, 'dropped'), JSON.stringify(layout));
}

test('a supervisor killed after it cut the file: the next one knows', async t => {
	const {path, directory, log} = write(t, 1600, null);
	writeFileSync(path, lines(1200, 1600));
	interrupt(directory);

	t.like(await readText(log, 0, 16), {text: lines(1200, 1216), gap: {from: 0, to: 1200}, totalBytes: 1600});
	appendFileSync(path, lines(1600, 3200));
	t.like(await readText(log, 3184, 16), {text: lines(3184, 3200), totalBytes: 3200});
});

test('a supervisor killed before it cut the file: the next one knows', async t => {
	const {path, directory, log} = write(t, 1600, null);
	writeFileSync(path, lines(1200, 1600), {flag: 'r+'});
	interrupt(directory);

	t.like(await readText(log, 0, 16), {text: lines(1200, 1216), gap: {from: 0, to: 1200}, totalBytes: 1600});
	await log.drop('proc_1', 'stdout', 160);
	t.like(await readText(log, 0, 16), {text: lines(1440, 1456), gap: {from: 0, to: 1440}, totalBytes: 1600});
});

test('a note that was made and not written says nothing', async t => {
	const {directory, log} = write(t, 1600, null);
	writeFileSync(join(directory, 'dropped'), '');

	t.is((await readText(log, 0, 16)).text, lines(0, 16));
	t.is(log.extent('proc_1', 'stdout').baseOffset, 0);
});

test('a stream that is dropped does not touch the other one', async t => {
	const {directory, log} = write(t, 1600, null);
	writeFileSync(join(directory, 'stderr'), lines(0, 3200));

	await log.drop('proc_1', 'stdout', 160);
	await log.drop('proc_1', 'stderr', 320);

	t.like(log.extent('proc_1', 'stdout'), {baseOffset: 1440, totalBytes: 1600});
	t.like(log.extent('proc_1', 'stderr'), {baseOffset: 2880, totalBytes: 3200});
});

test('a command that truncates its own output breaks its offsets, and nothing else', async t => {
	const {path, log} = write(t, 1600, fallocate);
	await log.drop('proc_1', 'stdout', 160);

	truncateSync(path, 0);

	t.is(log.tail('proc_1', 100).stdout.text, '');
	t.is((await readText(log, 0, 100)).text, '');
	await t.notThrowsAsync(log.drop('proc_1', 'stdout', 0));
});

test('terabytes of offsets fit', async t => {
	const {path, log} = write(t, 0, fallocate);
	const size = 2 ** 43;
	truncateSync(path, size);
	appendFileSync(path, 'end');

	await log.drop('proc_1', 'stdout', 3);

	t.like(await readText(log, 0, 16), {text: 'end', offset: size, totalBytes: size + 3});
});
