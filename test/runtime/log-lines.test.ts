import {closeSync, fstatSync, openSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {createLogger} from '../../runtime/log.js';
import {chooseFormat, type Format, formatForJournal, formatForTerminal} from '../../runtime/log-lines.js';
import {makeTempDir} from '../helpers/temp-dir.js';

function lines(format: Format, facts: object = {processId: 'proc_1', ms: 3}, message = 'Said'): string[] {
	const written: string[] = [];
	const logger = createLogger('debug', {write: line => written.push(format(line))});
	logger.error(facts, message);
	logger.warn(facts, message);
	logger.info(facts, message);
	logger.debug(facts, message);
	return written;
}

test('the journal is told how grave a line is, and not when it was', t => {
	t.deepEqual(lines(formatForJournal), [
		'<3>Said processId=proc_1 ms=3\n',
		'<4>Said processId=proc_1 ms=3\n',
		'<6>Said processId=proc_1 ms=3\n',
		'<7>Said processId=proc_1 ms=3\n',
	]);
});

test('on a terminal a line has the time of day', t => {
	const [first, , third] = lines(formatForTerminal);

	t.regex(first ?? '', /^\d\d:\d\d:\d\d\.\d{3} ERROR Said processId=proc_1 ms=3\n$/);
	t.regex(third ?? '', /^\d\d:\d\d:\d\d\.\d{3} INFO {2}Said /);
});

test('no fact can pass for another, or for another line', t => {
	const [line] = lines(formatForJournal, {variable: 'a\n<3>level=b', error: new Error('two\nlines')});

	t.regex(line ?? '', /^<3>Said variable="a\\n<3>level=b" error=\{"type":"Error","message":"two\\nlines",.*\}\n$/);
	t.is(line?.split('\n').length, 2);
});

test('a terminal, the journal and all else have lines of their own', t => {
	const descriptor = openSync(join(makeTempDir(t), 'log'), 'w');
	t.teardown(() => closeSync(descriptor));
	const {dev, ino} = fstatSync(descriptor);

	t.is(chooseFormat(descriptor, true, undefined), formatForTerminal);
	t.is(chooseFormat(descriptor, false, `${dev}:${ino}`), formatForJournal);
	// It was sent elsewhere since.
	t.is(chooseFormat(descriptor, false, `${dev}:${ino + 1}`), null);
	t.is(chooseFormat(descriptor, false, undefined), null);
});
