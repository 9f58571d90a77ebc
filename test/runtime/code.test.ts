import test from 'ava';
import {codeAsCommand, languageOf} from '../../runtime/code.js';
import {Problem} from '../../runtime/problem.js';

const becomes = test.macro((t, body: object, expected: object) => {
	t.deepEqual(codeAsCommand(body), expected);
});

test('code is python unless it says otherwise', becomes, {code: '1'}, {command: 'python3', args: ['-c', '1']});
test('bash is a shell line', becomes, {code: 'ls', language: 'bash', name: 'n'}, {command: 'ls', name: 'n'});
test(
	'javascript may begin with a dash',
	becomes,
	{code: '-1', language: 'javascript'},
	{command: process.execPath, args: ['--eval=-1']},
);
test('what commands share is left to them', becomes, {code: 'ls', language: 'bash', x: 1}, {command: 'ls', x: 1});

const refuses = test.macro((t, body: unknown, field: string | undefined, message: RegExp) => {
	t.like(
		t.throws(() => codeAsCommand(body), {instanceOf: Problem, message}),
		{field, status: 400},
	);
});

test('refuses no body', refuses, undefined, undefined, /^The body is missing/);
test('refuses no code', refuses, {}, 'code', /code is missing/);
test('refuses code that is no text', refuses, {code: 5}, 'code', /^code must be a string; got 5$/);
test('refuses empty code', refuses, {code: ''}, 'code', /must not be empty/);
test(
	'refuses another language',
	refuses,
	{code: '1', language: 'go'},
	'language',
	/python, javascript, bash; got "go"/,
);
test('refuses a command', refuses, {code: '1', command: 'ls'}, 'command', /not a known field here/);
test('refuses arguments', refuses, {code: '1', args: []}, 'args', /not a known field here/);
test('refuses more than an argument can hold', refuses, {code: 'x'.repeat(131_001)}, 'code', /at most 131000 bytes/);

test('a shell line may be longer', t => {
	t.notThrows(() => codeAsCommand({code: 'x'.repeat(200_000), language: 'bash'}));
});

test('the language of a command is what it runs its code with', t => {
	t.is(languageOf('python3', ['-c', '1']), 'python');
	t.is(languageOf('python3', ['script.py']), 'bash');
	t.is(languageOf('/opt/nodes', ['--eval=1']), 'bash');
	t.is(languageOf('/opt/node/bin/node', ['--eval=1']), 'javascript');
	t.is(languageOf('echo hello', null), 'bash');
	t.is(languageOf('python3', null), 'bash');
});
