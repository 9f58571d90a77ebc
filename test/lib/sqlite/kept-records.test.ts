import test from 'ava';
import {KeptRecords} from '../../../lib/sqlite/kept-records.js';
import {anEndedProcess, type Facts} from '../../helpers/a-process.js';

/** Looks for a record, and says whether it had to be read. */
function isRead(kept: KeptRecords, sequence: number, command: Facts['command'] = {}): boolean {
	let reads = 0;
	kept.find(sequence, () => {
		reads++;
		return anEndedProcess({sequence, command});
	});
	return reads > 0;
}

test('a record is read once, and again when its row has changed', t => {
	const kept = new KeptRecords();

	t.true(isRead(kept, 1));
	t.false(isRead(kept, 1));
	kept.drop(1);
	t.true(isRead(kept, 1));
});

test('those that were read the longest time ago make room', t => {
	const kept = new KeptRecords();
	for (let sequence = 1; sequence <= 2001; sequence++) {
		isRead(kept, sequence);
	}

	t.false(isRead(kept, 2001));
	t.false(isRead(kept, 2));
	t.true(isRead(kept, 1));
});

test('long commands are not kept', t => {
	const kept = new KeptRecords();
	isRead(kept, 1, {line: 'x'.repeat(4097)});
	isRead(kept, 2, {args: ['x'.repeat(4000), '', 'x'.repeat(100)]});

	t.true(isRead(kept, 1));
	t.true(isRead(kept, 2));
});
