import test from 'ava';
import {JsonInvalidError, parseStrictJson} from '../../runtime/strict-json.js';

const accepts = test.macro((t, text: string) => {
	t.deepEqual(parseStrictJson(text), JSON.parse(text));
});

test('accepts an object', accepts, '{"a": [1, {"a": "b"}], "b": {"a": null}}');
test('accepts one key in two objects', accepts, '[{"a": 1}, {"a": 2}]');
test('accepts a value that equals a key', accepts, '{"a": "a", "b": ["a", "a"], "c": "a"}');
test(
	'accepts brackets, quotes and backslashes in strings',
	accepts,
	String.raw`{"a{[": "}]\"{\\", "\\": "\\\\", "\"": 1}`,
);
test('accepts 64 levels', accepts, `${'['.repeat(64)}${']'.repeat(64)}`);
test('accepts what is no object', accepts, '"a"');

const rejects = test.macro((t, text: string, problem: string | RegExp, field?: string) => {
	const error = t.throws(() => parseStrictJson(text), {instanceOf: JsonInvalidError});

	typeof problem === 'string' ? t.is(error?.problem, problem) : t.regex(error?.problem ?? '', problem);
	t.is(error?.field, field);
});

const twice = 'has the key "a" twice in one object';
test('rejects two keys of one name', rejects, '{"a": 1, "b": 2, "a": 1}', twice, 'a');
test('rejects them deep inside', rejects, '[[{"b": {"c": [], "a": {"a": 1}, "a": 2}}]]', twice, 'a');
test('rejects them in different spellings', rejects, String.raw`{"a": 1, "\u0061" : 2}`, twice, 'a');
test('rejects them after an escaped quote', rejects, String.raw`{"a": "x\"", "a": 1}`, twice, 'a');
test('rejects them after an escaped backslash', rejects, String.raw`{"a": "x\\", "a": 1}`, twice, 'a');
test('rejects 65 levels', rejects, `${'['.repeat(65)}${']'.repeat(65)}`, 'is nested deeper than 64 levels');
test('rejects millions of levels as quickly', rejects, '{"a":['.repeat(1_000_000), 'is nested deeper than 64 levels');
test('rejects an empty text', rejects, '', 'is not valid JSON: Unexpected end of JSON input');
test('says where the text is wrong', rejects, '{command: "x"}', /^is not valid JSON: .* JSON at position 1$/);
test('says what is wrong', rejects, '{"a": x}', "is not valid JSON: Unexpected token 'x'");
test('rejects a string without an end', rejects, String.raw`{"a": "b\"`, /^is not valid JSON/);
test('rejects a key without an end', rejects, '{"a": 1, "a\\', /^is not valid JSON/);
test('rejects closing brackets without opening ones', rejects, ']}]"a":{', /^is not valid JSON/);

test('repeats nothing of a text that is no JSON', t => {
	for (const text of [
		'{"env": {"KEY": "hunter2"}, x',
		'{"KEY": "hunter2',
		'{"env": "hunter2"}}',
		'hunter2',
		'["hunter2\n"]',
	]) {
		const error = t.throws(() => parseStrictJson(text));
		t.notRegex(error?.message ?? '', /hunter2|KEY/);
	}
});

test('a key named __proto__ stays a key', t => {
	const value = parseStrictJson('{"__proto__": {"polluted": true}}') as object;

	t.deepEqual(Object.keys(value), ['__proto__']);
	t.false('polluted' in value);
	t.false('polluted' in {});
});
