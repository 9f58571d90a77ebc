import test from 'ava';
import stringWidth from 'string-width';
import {narrowed, table} from '../../../runtime/terminal/table.js';

const cells = (...texts: string[]) => texts.map(text => ({text}));
const rows = [cells('ID', 'NAME', 'COMMAND'), cells('1', 'a long name', 'make all'), cells('22', '', 'true')];

test('columns stand under each other, without spaces at the end', t => {
	t.is(table(rows, null, []), 'ID  NAME         COMMAND\n1   a long name  make all\n22               true\n');
});

test('where there is no room the first of the yielding columns gives way, then the next', t => {
	t.is(table(rows, 23, [2, 1]), 'ID  NAME         COMMA…\n1   a long name  make …\n22               true\n');
	t.is(table(rows, 18, [2, 1]), 'ID  NAME    COMMA…\n1   a lon…  make …\n22          true\n');
});

test('no line is wider than the screen, whatever stands in it', t => {
	const wide = [cells('名前'.repeat(20), '👩‍👩‍👧'.repeat(20), 'x'.repeat(100)), cells('a', 'b', 'c')];

	for (let columns = 10; columns < 140; columns++) {
		for (const line of table(wide, columns, [2, 1, 0]).split('\n')) {
			t.true(stringWidth(line) <= columns, `${columns}: ${line}`);
		}
	}
});

test('a wide letter takes two places', t => {
	t.is(table([cells('名', 'x'), cells('ab', 'y'), cells('c', 'z')], null, []), '名  x\nab  y\nc   z\n');
});

test('colours take no place', t => {
	const red = (text: string) => `\u001b[31m${text}\u001b[39m`;

	t.is(table([[{text: 'a', paint: red}, {text: 'x'}], cells('bb', 'y')], 5, []), '\u001b[31ma\u001b[39m   x\nbb  y\n');
});

test('nothing but a heading is a table too', t => {
	t.is(table([cells('A', 'B')], 80, [1]), 'A  B\n');
	t.is(table([], 80, []), '');
});

test('a cut never goes through a character', t => {
	t.is(narrowed('名前名前', 4), '名…');
	t.is(narrowed('ae\u0301b', 2), 'a…');
	t.is(narrowed('👩‍👩‍👧👩‍👩‍👧', 3), '👩‍👩‍👧…');
	t.is(narrowed('abc', 1), '…');
	t.is(narrowed('abc', 0), '');
	t.is(narrowed('abc', 3), 'abc');
});
