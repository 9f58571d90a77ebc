import test from 'ava';
import {GatheredLines} from '../../runtime/gathered-lines.js';
import {eventually} from '../helpers/eventually.js';

function open() {
	const written: string[] = [];
	return {written, lines: new GatheredLines({write: text => written.push(text)})};
}

test('lines that come together are written together, soon', async t => {
	const {written, lines} = open();
	lines.write('one\n');
	lines.write('two\n');

	t.deepEqual(
		await eventually(
			() => written,
			({length}) => length > 0,
		),
		['one\ntwo\n'],
	);

	lines.write('three\n');
	t.is(await eventually(() => written[1]), 'three\n');
});

test('many are not waited for', t => {
	const {written, lines} = open();
	for (let i = 0; i < 16; i++) {
		lines.write(`${'x'.repeat(1023)}\n`);
	}

	t.deepEqual(written, [`${'x'.repeat(1023)}\n`.repeat(16)]);
});

test('who is about to leave passes on what waits, once', async t => {
	const {written, lines} = open();
	lines.write('last\n');
	lines.passOn();
	lines.passOn();

	t.deepEqual(written, ['last\n']);
});
