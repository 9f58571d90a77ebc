import {mkdirSync, readdirSync, symlinkSync, truncateSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {SystemDisk} from '../../../lib/os/disk.js';
import {FileOutputLog, toText} from '../../../lib/output/output-log.js';
import {eventually} from '../../helpers/eventually.js';
import {RecordingLogger} from '../../helpers/recording-logger.js';
import {readLines} from '../../helpers/state-files.js';
import {makeTempDir} from '../../helpers/temp-dir.js';

/** The output of one process, as it wrote it. */
function write(t: ExecutionContext, files: {stdout?: string | Buffer; stderr?: string | Buffer}) {
	const stateDir = makeTempDir(t);
	const directory = join(stateDir, 'runs', 'proc_1');
	mkdirSync(directory, {recursive: true});
	for (const [name, content] of Object.entries(files)) {
		writeFileSync(join(directory, name), content);
	}

	return {
		stateDir,
		log: new FileOutputLog(stateDir, new SystemDisk(stateDir, null), new RecordingLogger()),
		stdoutPath: join(directory, 'stdout'),
	};
}

test('short output is shown whole, each stream for itself', t => {
	const {log} = write(t, {stdout: 'out\n', stderr: 'no newline'});

	t.deepEqual(log.tail('proc_1', 100), {
		stdout: {text: 'out\n', totalBytes: 4, baseOffset: 0},
		stderr: {text: 'no newline', totalBytes: 10, baseOffset: 0},
	});
});

test('of long output the end is shown, and how much there is', t => {
	const {log} = write(t, {stdout: `${'x'.repeat(1000)}end`, stderr: 'err'});

	t.deepEqual(log.tail('proc_1', 3), {
		stdout: {text: 'end', totalBytes: 1003, baseOffset: 0},
		stderr: {text: 'err', totalBytes: 3, baseOffset: 0},
	});
});

test('nothing is shown where nothing is asked for, but how much there is', t => {
	const {log} = write(t, {stdout: 'out'});

	t.deepEqual(log.tail('proc_1', 0).stdout, {text: '', totalBytes: 3, baseOffset: 0});
});

test('a process that has not begun has written nothing', t => {
	const {log} = write(t, {});

	t.deepEqual(log.tail('proc_1', 100), {
		stdout: {text: '', totalBytes: 0, baseOffset: 0},
		stderr: {text: '', totalBytes: 0, baseOffset: 0},
	});
});

test('wherever the beginning is cut off, no character is cut in two', t => {
	const whole = 'aé€\u{1f600}z\u{10ffff}é';
	const {log} = write(t, {stdout: whole});

	for (let maxBytes = 0; maxBytes <= Buffer.byteLength(whole); maxBytes++) {
		const {text} = log.tail('proc_1', maxBytes).stdout;

		t.true(whole.endsWith(text), `${text} of ${maxBytes} bytes`);
		t.true(Buffer.byteLength(text) > maxBytes - 4);
	}
});

test('what is not UTF-8 is marked, and never an error', t => {
	const {log} = write(t, {stdout: Buffer.from([0x61, 0xff, 0xfe, 0x62, 0xc3])});

	t.is(log.tail('proc_1', 100).stdout.text, 'a\ufffd\ufffdb\ufffd');
});

test('half a character at the beginning of all output is marked: it was not cut there', t => {
	const {log} = write(t, {stdout: Buffer.from([0x82, 0xac, 0x61])});

	t.is(log.tail('proc_1', 100).stdout.text, '\ufffd\ufffda');
});

test('at most three bytes are left out at the cut: more are no character', t => {
	t.is(toText(Buffer.from([0x80, 0x80, 0x80, 0x80, 0x61]), true), '\ufffda');
});

test('bytes that are all continuation make no text, and no error', t => {
	t.is(toText(Buffer.from([0x80, 0x80]), true), '');
	t.is(toText(Buffer.alloc(0), true), '');
});

test('the end of gigabytes is shown as fast as that of a line', t => {
	const {log, stdoutPath} = write(t, {stdout: ''});
	const size = 5 * 2 ** 30;
	truncateSync(stdoutPath, size);
	writeFileSync(stdoutPath, 'end', {flag: 'a'});

	t.deepEqual(log.tail('proc_1', 3).stdout, {text: 'end', totalBytes: size + 3, baseOffset: 0});
});

test('a part is read exactly, with where it is and how much there is', async t => {
	const {log} = write(t, {stdout: Buffer.from([0x61, 0xff, 0x00, 0xc3, 0x62])});

	const {bytes, ...where} = await log.read('proc_1', 'stdout', 1, 3);

	t.deepEqual([...bytes], [0xff, 0x00, 0xc3]);
	t.deepEqual(where, {offset: 1, nextOffset: 4, baseOffset: 0, totalBytes: 5, gap: null});
});

test('at the end, and behind it, there is nothing to read yet', async t => {
	const {log} = write(t, {stdout: 'out'});

	for (const offset of [3, 10]) {
		t.like(await log.read('proc_1', 'stdout', offset, 10), {offset, nextOffset: offset, totalBytes: 3, gap: null});
	}
});

test('of one that has not begun there is nothing to read yet', async t => {
	const {log} = write(t, {});

	t.like(await log.read('proc_1', 'stdout', 0, 10), {offset: 0, nextOffset: 0, totalBytes: 0, gap: null});
	t.deepEqual(log.extent('proc_1', 'stderr'), {baseOffset: 0, totalBytes: 0});
});

test('what cannot be read is an error, and not the end', async t => {
	const {log, stdoutPath} = write(t, {});
	symlinkSync(stdoutPath, stdoutPath);

	await t.throwsAsync(log.read('proc_1', 'stdout', 0, 10), {code: 'ELOOP'});
});

test('whoever watches is told of the first byte and of more, in files that were not there', async t => {
	const {log, stdoutPath} = write(t, {});
	t.teardown(() => log.close());
	let told = 0;
	log.watch('proc_1', () => told++);

	writeFileSync(stdoutPath, 'first');
	await eventually(() => told > 0);
	const before = told;
	writeFileSync(stdoutPath, 'more', {flag: 'a'});
	await eventually(() => told > before);

	t.pass();
});

test('whoever no longer watches is not told, and the others are', async t => {
	const {log, stdoutPath} = write(t, {});
	t.teardown(() => log.close());
	const told = {gone: 0, there: 0};
	const stop = log.watch('proc_1', () => told.gone++);
	log.watch('proc_1', () => told.there++);

	stop();
	stop();
	writeFileSync(stdoutPath, 'first');
	await eventually(() => told.there > 0);

	t.is(told.gone, 0);
});

/** Of this program (proc_pid_fdinfo(5)). */
function countInotifyWatches(): number {
	return readdirSync('/proc/self/fdinfo')
		.flatMap(name => readLines(`/proc/self/fdinfo/${name}`))
		.filter(line => line.startsWith('inotify ')).length;
}

test('a thousand who watch one process cost one inotify watch, and none when they have left', t => {
	const {log} = write(t, {});
	const before = countInotifyWatches();

	const stops = Array.from({length: 1000}, () => log.watch('proc_1', () => undefined));
	const during = countInotifyWatches();
	for (const stop of stops) {
		stop();
	}

	t.deepEqual([during - before, countInotifyWatches() - before], [1, 0]);
});

test('where nobody can be notified, output is looked at all the same', async t => {
	const {log, stateDir} = write(t, {});
	t.teardown(() => log.close());
	let told = 0;
	// A directory that is not there yet cannot be watched.
	log.watch('proc_2', () => told++);

	mkdirSync(join(stateDir, 'runs', 'proc_2'));
	writeFileSync(join(stateDir, 'runs', 'proc_2', 'stderr'), 'late');

	await eventually(() => told > 0);
	t.pass();
});
