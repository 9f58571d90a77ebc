import {mkdirSync, truncateSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {FileOutputLog, toText} from '../../../lib/output/output-log.js';
import {makeTempDir} from '../../helpers/temp-dir.js';

/** The output of one process, as it wrote it. */
function write(t: ExecutionContext, files: {stdout?: string | Buffer; stderr?: string | Buffer}) {
	const stateDir = makeTempDir(t);
	const directory = join(stateDir, 'runs', 'proc_1');
	mkdirSync(directory, {recursive: true});
	for (const [name, content] of Object.entries(files)) {
		writeFileSync(join(directory, name), content);
	}

	return {log: new FileOutputLog(stateDir), stdoutPath: join(directory, 'stdout')};
}

test('short output is shown whole, each stream for itself', t => {
	const {log} = write(t, {stdout: 'out\n', stderr: 'no newline'});

	t.deepEqual(log.tail('proc_1', 100), {
		stdout: {text: 'out\n', totalBytes: 4},
		stderr: {text: 'no newline', totalBytes: 10},
	});
});

test('of long output the end is shown, and how much there is', t => {
	const {log} = write(t, {stdout: `${'x'.repeat(1000)}end`, stderr: 'err'});

	t.deepEqual(log.tail('proc_1', 3), {
		stdout: {text: 'end', totalBytes: 1003},
		stderr: {text: 'err', totalBytes: 3},
	});
});

test('nothing is shown where nothing is asked for, but how much there is', t => {
	const {log} = write(t, {stdout: 'out'});

	t.deepEqual(log.tail('proc_1', 0).stdout, {text: '', totalBytes: 3});
});

test('a process that has not begun has written nothing', t => {
	const {log} = write(t, {});

	t.deepEqual(log.tail('proc_1', 100), {stdout: {text: '', totalBytes: 0}, stderr: {text: '', totalBytes: 0}});
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

	t.deepEqual(log.tail('proc_1', 3).stdout, {text: 'end', totalBytes: size + 3});
});
