import test from 'ava';
import pc from 'picocolors';
import {processTable, statusText} from '../../../runtime/terminal/process-table.js';
import type {Screen} from '../../../runtime/terminal/screen.js';
import {anId, aShownProcess} from '../../helpers/shown-process.js';

const pipe: Screen = {columns: null, paint: pc.createColors(false)};
const terminal: Screen = {columns: 80, paint: pc.createColors(false)};

const two = [
	aShownProcess({process_id: anId('aaaaaaaa1'), name: 'build', command: 'make', args: ['-j', '4']}),
	aShownProcess({
		process_id: anId('bbbbbbbb1'),
		status: 'failed',
		reason: 'exited',
		exit_code: 3,
		execution_time: 7384,
	}),
];

test('a pipe gets whole ids and whole commands', t => {
	t.is(
		processTable(two, pipe),
		`${'ID'.padEnd(37)}  NAME   STATUS    TIME   COMMAND
${anId('aaaaaaaa1')}  build  running   1s     make -j 4
${anId('bbbbbbbb1')}         failed 3  2h 3m  sleep 600
`,
	);
});

test('a terminal gets short ids', t => {
	t.is(
		processTable(two, terminal),
		`ID        NAME   STATUS    TIME   COMMAND
aaaaaaaa  build  running   1s     make -j 4
bbbbbbbb         failed 3  2h 3m  sleep 600
`,
	);
});

test('ids are only as short as they tell processes apart', t => {
	const alike = [aShownProcess({process_id: anId('aaaaaaaaab')}), aShownProcess({process_id: anId('aaaaaaaaac')})];

	t.regex(processTable(alike, terminal), /^aaaaaaaaab .*\naaaaaaaaac /m);
});

test('the narrowest common terminal has room for what matters', t => {
	const [heading, row] = processTable(
		[aShownProcess({name: 'a-name-that-is-rather-long', status: 'killed', reason: 'timeout', command: 'x'.repeat(99)})],
		{...terminal, columns: 60},
	).split('\n');

	t.is(heading, 'ID        NAME                  STATUS          TIME  COMMA…');
	t.is(row, '01234567  a-name-that-is-rath…  killed timeout  1s    xxxxx…');
});

test('names and commands cannot act upon the terminal', t => {
	const evil = aShownProcess({name: '\u001b[2J', command: 'a\n\u009bb', args: ['\u202e'], status: '\u0007'});

	const shown = processTable([evil], pipe);

	t.regex(shown, /\\x1b\[2J +\\x07 .* a\\n\\x9bb \\u\{202e\}\n$/);
	t.is(shown.split('\n').length, 3);
});

test('only a status has a colour, and the heading', t => {
	const painted = processTable(two, {...terminal, paint: pc.createColors(true)});

	t.true(painted.includes(`${pc.createColors(true).green('running')} `));
	t.true(painted.includes(pc.createColors(true).bold('ID')));
});

const says = test.macro((t, given: Parameters<typeof aShownProcess>[0], text: string) => {
	t.is(statusText(aShownProcess(given)), text);
});

test('completed says all', says, {status: 'completed', reason: 'exited', exit_code: 0}, 'completed');
test('failed says by what', says, {status: 'failed', reason: 'exited', exit_code: 127}, 'failed 127');
test('failed by a signal', says, {status: 'failed', reason: 'signaled', signal: 'SIGSEGV'}, 'failed SIGSEGV');
test('failed, and nobody knows how', says, {status: 'failed', reason: 'lost'}, 'failed lost');
test('killed is what somebody wanted', says, {status: 'killed', reason: 'request', signal: 'SIGTERM'}, 'killed');
test('killed by its timeout', says, {status: 'killed', reason: 'timeout', signal: 'SIGTERM'}, 'killed timeout');
