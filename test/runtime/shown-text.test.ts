import test from 'ava';
import {escaped, escapedJson} from '../../runtime/shown-text.js';

test('what a terminal would act upon is spelled out', t => {
	t.is(escaped('\u001b[2J\u009b2J\u007f\0'), '\\x1b[2J\\x9b2J\\x7f\\x00');
	t.is(escaped('a\nb\r\tc\u2028'), 'a\\nb\\r\\tc\\u{2028}');
	t.is(escaped('abc\u202egpj.exe'), 'abc\\u{202e}gpj.exe');
});

test('letters of all languages stay', t => {
	t.is(escaped('größe 名前 🙂'), 'größe 名前 🙂');
});

test('JSON stays the same value, and has nothing left that a terminal would act upon', t => {
	const value = {name: '\u001b[2J\u009b\u202e\n', deep: ['\u{e0001}']};

	const json = escapedJson(value);

	t.deepEqual(JSON.parse(json), value);
	t.regex(json, /^[\x20-\x7e]*$/);
});
