import test from 'ava';
import pc from 'picocolors';
import {eventLine} from '../../../runtime/terminal/event-line.js';
import {aShownProcess} from '../../helpers/shown-process.js';

const pipe = {columns: null, paint: pc.createColors(false)};
const at = '2026-01-01T00:00:00.000Z';
const id = aShownProcess().process_id;

const shows = test.macro((t, type: string, data: object, line: string) => {
	t.is(eventLine(type, JSON.stringify(data), pipe), line);
});

test(
	'when, what, of which process',
	shows,
	'started',
	{at, process: aShownProcess({name: 'build'})},
	`${at}  started    ${id}  build`,
);
test(
	'an end says how',
	shows,
	'ended',
	{at, process: aShownProcess({status: 'failed', exit_code: 3})},
	`${at}  ended      ${id}  failed 3`,
);
test(
	'a stop says why',
	shows,
	'stopping',
	{at, why: 'timeout', process: aShownProcess()},
	`${at}  stopping   ${id}  timeout`,
);
test('what is gone is told', shows, 'gap', {from: 2, to: 7}, 'of the events 2 to 7 some are not kept any more');
test(
	'a name cannot act upon the terminal',
	shows,
	'queued',
	{at, process: aShownProcess({name: '\u001b[2J\n'})},
	`${at}  queued     ${id}  \\x1b[2J\\n`,
);

test('a terminal cuts it', t => {
	const data = JSON.stringify({at, process: aShownProcess({name: 'x'.repeat(100)})});

	t.is(eventLine('queued', data, {...pipe, columns: 60}).length, 60);
});
