import test from 'ava';
import {type CommandDefaults, type ParsedCommand, parseCommand, parseCommandBody} from '../../lib/command.js';
import {CommandInvalidError} from '../../lib/errors.js';
import type {LimitName} from '../../lib/process.js';
import {commandDefaults} from '../helpers/command-defaults.js';

const parseLibrary = (input: unknown) => parseCommand(input, commandDefaults);
const parseHttp = (input: unknown) => parseCommandBody(input, commandDefaults);

const inLibrary = {
	parse: parseCommand,
	timeoutField: 'timeoutMs',
	unit: 'milliseconds',
	directory: 'workingDir',
	memoryField: 'memoryBytes',
	cpuField: 'cpuPercent',
	effortField: 'bestEffort',
};
const inHttp = {
	parse: parseCommandBody,
	timeoutField: 'timeout',
	unit: 'seconds',
	directory: 'working_dir',
	memoryField: 'memory_bytes',
	cpuField: 'cpu_percent',
	effortField: 'best_effort',
};
const spellings = [
	{spelling: 'library', ...inLibrary, parse: parseLibrary},
	{spelling: 'HTTP', ...inHttp, parse: parseHttp},
	{spelling: 'HTTP, workdir', ...inHttp, parse: parseHttp, directory: 'workdir'},
];

for (const {spelling, parse, timeoutField, unit, directory, memoryField, cpuField, effortField} of spellings) {
	test(`${spelling}: a command alone gets every default`, t => {
		t.deepEqual(parse({command: 'npm run build'}), {
			command: {
				line: 'npm run build',
				args: null,
				workingDir: '/home/agent',
				name: null,
				timeoutMs: 300_000,
				leftover: 'keep',
				limits: null,
				stdin: false,
				ready: null,
			},
			env: new Map(),
		});
	});

	test(`${spelling}: every field is taken`, t => {
		const parsed = parse({
			command: 'node',
			args: ['server.js', ''],
			[timeoutField]: unit === 'seconds' ? 7200 : 7_200_000,
			[directory]: '/srv/app',
			env: {NODE_ENV: 'development', EMPTY: ''},
			name: 'web server',
			leftover: 'kill',
			limits: {[memoryField]: 1_048_576, pids: 5, [cpuField]: 150, [effortField]: true},
			stdin: true,
			ready: {port: 3000, [timeoutField]: unit === 'seconds' ? 30 : 30_000},
		});

		t.deepEqual(parsed, {
			command: {
				line: 'node',
				args: ['server.js', ''],
				workingDir: '/srv/app',
				name: 'web server',
				timeoutMs: 7_200_000,
				leftover: 'kill',
				limits: {memoryBytes: 1_048_576, pids: 5, cpuPercent: 150, bestEffort: true},
				stdin: true,
				ready: {port: 3000, timeoutMs: 30_000},
			},
			env: new Map([
				['NODE_ENV', 'development'],
				['EMPTY', ''],
			]),
		});
	});

	test(`${spelling}: a relative directory starts at the supervisor's own`, t => {
		t.is(parse({command: 'ls', [directory]: '../other/./x'}).command.workingDir, '/home/other/x');
	});
}

test('a shell line keeps its white space and may be longer than an argument', t => {
	const line = `\n  echo ${'x'.repeat(5_000_000)}\t\n`;

	t.is(parseLibrary({command: line}).command.line, line);
});

test('a field that is undefined was not given', t => {
	const parsed = parseLibrary({command: 'ls', args: undefined, timeoutMs: undefined, env: undefined, name: undefined});

	t.deepEqual(parsed, parseLibrary({command: 'ls'}));
});

for (const name of ['constructor', 'prototype', '__proto__', 'toString', 'hasOwnProperty']) {
	test(`a variable may be called ${name}`, t => {
		const {env} = parseHttp(JSON.parse(`{"command": "env", "env": {"${name}": "x"}}`));

		t.deepEqual([...env], [[name, 'x']]);
	});
}

test('a variable may have a name that no shell can export, and any text as its value', t => {
	const env = {'A.B': 'x', 'a-b': '"\'`$(id)\\\n\t', UID: '0', Ünï: '\u{1f600}\u0001', PATH: '/nowhere', '1': 'digit'};

	t.deepEqual(Object.fromEntries(parseLibrary({command: 'env', env}).env), env);
});

const longest = 131_071;

const accepts = test.macro((t, input: unknown) => {
	t.notThrows(() => parseHttp(input));
});

const rejects = test.macro(
	(t, parse: (input: unknown) => ParsedCommand, input: unknown, field: string, says: string) => {
		const error = t.throws(() => parse(input), {instanceOf: CommandInvalidError});

		t.like(error, {field, message: says});
	},
);

const tooLong = 'must be at most 131071 bytes (execve(2))';

test('an argument may have 131,071 bytes', accepts, {command: 'echo', args: ['x'.repeat(longest)]});
test(
	'an argument may not have 131,072 bytes',
	rejects,
	parseHttp,
	{command: 'echo', args: ['short', 'x'.repeat(longest + 1)]},
	'args.1',
	`args.1 ${tooLong}; got "${'x'.repeat(80)}…"`,
);
test(
	'the length of an argument counts in bytes, not in characters',
	rejects,
	parseHttp,
	{command: 'echo', args: ['é'.repeat(longest / 2 + 1)]},
	'args.0',
	`args.0 ${tooLong}; got "${'é'.repeat(80)}…"`,
);
test('a variable may have 131,071 bytes with its name', accepts, {command: 'env', env: {A: 'x'.repeat(longest - 2)}});
test(
	'a variable may not have 131,072 bytes with its name',
	rejects,
	parseHttp,
	{command: 'env', env: {A: 'x'.repeat(longest - 1)}},
	'env.A',
	`env.A ${tooLong}; got string`,
);
test('a program may have 131,071 bytes', accepts, {command: 'x'.repeat(longest), args: []});
test(
	'a program may not have 131,072 bytes',
	rejects,
	parseHttp,
	{command: 'x'.repeat(longest + 1), args: []},
	'command',
	`command ${tooLong} where args are given`,
);
test('a name may have 256 characters', accepts, {command: 'ls', name: 'n'.repeat(256)});
test(
	'a name may not have 257 characters',
	rejects,
	parseHttp,
	{command: 'ls', name: 'n'.repeat(257)},
	'name',
	`name must be at most 256 characters; got "${'n'.repeat(80)}…"`,
);

for (const {spelling, parse, timeoutField, unit} of spellings.slice(0, 2)) {
	test(`${spelling}: a timeout of 0 is no limit`, t => {
		t.is(parse({command: 'ls', [timeoutField]: 0}).command.timeoutMs, 0);
	});

	for (const timeout of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5', null, true]) {
		test(`${spelling}: a timeout that is the ${typeof timeout} ${timeout} is refused`, t => {
			const error = t.throws(() => parse({command: 'ls', [timeoutField]: timeout}), {instanceOf: CommandInvalidError});

			t.is(error.field, timeoutField);
			t.regex(error.message, new RegExp(`^${timeoutField} must be a whole number of ${unit}.*; got "?${timeout}"?$`));
		});
	}
}

test('a timeout may be far above 2^31 milliseconds', t => {
	t.is(parseHttp({command: 'ls', timeout: 2_147_484}).command.timeoutMs, 2_147_484_000);
});

test(
	'a timeout above 68 years is refused',
	rejects,
	parseHttp,
	{command: 'ls', timeout: 2_147_483_648},
	'timeout',
	'timeout must be at most 2147483647 seconds; got 2147483648',
);

const withMaximum = (defaultTimeoutMs: number) => ({
	...commandDefaults,
	timeoutMs: defaultTimeoutMs,
	maxTimeoutMs: 60_000,
});
const parseWithMaximum = (input: unknown) => parseCommandBody(input, withMaximum(30_000));

test('the maximum may be asked for', t => {
	t.is(parseWithMaximum({command: 'ls', timeout: 60}).command.timeoutMs, 60_000);
});

test(
	'more than the maximum is refused',
	rejects,
	parseWithMaximum,
	{command: 'ls', timeout: 61},
	'timeout',
	'timeout must be between 1 and 60 here; got 61',
);

test(
	'no limit is refused where there is a maximum',
	rejects,
	parseWithMaximum,
	{command: 'ls', timeout: 0},
	'timeout',
	'timeout must be between 1 and 60 here; got 0',
);

test('the default is at most the maximum, and is the maximum where it would be no limit', t => {
	const timeouts = [30_000, 90_000, 0].map(
		timeoutMs => parseCommand({command: 'ls'}, withMaximum(timeoutMs)).command.timeoutMs,
	);

	t.deepEqual(timeouts, [30_000, 60_000, 60_000]);
});

for (const [input, given] of [
	[null, 'null'],
	[undefined, 'undefined'],
	['ls', '"ls"'],
	[[], 'an array of 0'],
	[5, '5'],
] as const) {
	test(
		`${given} in place of a command is refused`,
		rejects,
		parseHttp,
		input,
		'',
		`The command must be an object; got ${given}`,
	);
}

const refusals: readonly [title: string, input: object, field: string, says: string][] = [
	['a command is required', {command: undefined}, 'command', 'is missing'],
	['a command is a string', {command: 5}, 'command', 'must be a string; got 5'],
	['a command is not null', {command: null}, 'command', 'must be a string; got null'],
	['a command is not empty', {command: ''}, 'command', 'must not be blank; got ""'],
	['a command is not blank', {command: ' \n\t'}, 'command', 'must not be blank; got " \\n\\t"'],
	['a command has no NUL', {command: 'a\0b'}, 'command', 'must not contain a NUL character; got "a\\u0000b"'],
	[
		'a command has no lone surrogate',
		{command: 'a\ud800'},
		'command',
		'must be well-formed Unicode, without lone surrogates; got "a\\ud800"',
	],
	['args are an array', {args: 'x'}, 'args', 'must be an array of strings; got "x"'],
	['args are not an object', {args: {0: 'x'}}, 'args', 'must be an array of strings; got an object'],
	['args are strings', {args: ['x', 5]}, 'args.1', 'must be a string; got 5'],
	['args are not arrays', {args: [['x', 'y']]}, 'args.0', 'must be a string; got an array of 2'],
	['an argument has no NUL', {args: ['\0']}, 'args.0', 'must not contain a NUL character; got "\\u0000"'],
	[
		'an argument has no lone surrogate',
		{args: ['\udc00']},
		'args.0',
		'must be well-formed Unicode, without lone surrogates; got "\\udc00"',
	],
	['a directory is a string', {working_dir: 5}, 'working_dir', 'must be a path; got 5'],
	['a directory is not empty', {working_dir: ''}, 'working_dir', 'must not be empty; got ""'],
	['the other spelling is not empty', {workdir: ''}, 'workdir', 'must not be empty; got ""'],
	['a directory has no NUL', {workdir: '/a\0'}, 'workdir', 'must not contain a NUL character; got "/a\\u0000"'],
	[
		'a directory is given in one spelling',
		{working_dir: '/a', workdir: '/a'},
		'workdir',
		'is another spelling of working_dir: give one of them',
	],
	['a name is a string', {name: 5}, 'name', 'must be a string; got 5'],
	['a name has no control characters', {name: 'a\nb'}, 'name', 'must not contain control characters; got "a\\nb"'],
	[
		'a name has no lone surrogate',
		{name: '\ud800'},
		'name',
		'must be well-formed Unicode, without lone surrogates; got "\\ud800"',
	],
	['env is an object', {env: 5}, 'env', 'must be an object of strings; got 5'],
	['env is not null', {env: null}, 'env', 'must be an object of strings; got null'],
	['env is not an array', {env: ['A=1']}, 'env', 'must be an object of strings; got an array of 1'],
	[
		'a variable has a name',
		{env: {'': 'x'}},
		'env.',
		'is no name for a variable: it must not be empty nor contain "=", NUL or lone surrogates; got string',
	],
	[
		'a variable has no "=" in its name',
		{env: {'A=B': 'x'}},
		'env.A=B',
		'is no name for a variable: it must not be empty nor contain "=", NUL or lone surrogates; got string',
	],
	[
		'a variable is not the cookie',
		{env: {NOHUPD_PROCESS_ID: 'proc_x'}},
		'env.NOHUPD_PROCESS_ID',
		'is reserved: nohupd sets it to the id of the process; got string',
	],
	['leftover is keep or kill', {leftover: 'stop'}, 'leftover', 'must be keep or kill; got "stop"'],
	['leftover is not null', {leftover: null}, 'leftover', 'must be keep or kill; got null'],
	['leftover is no boolean', {leftover: true}, 'leftover', 'must be keep or kill; got true'],
	['stdin is a boolean', {stdin: 'pipe'}, 'stdin', 'must be true or false; got "pipe"'],
	['ready is an object', {ready: 3000}, 'ready', 'must be an object with port, http or log; got 3000'],
	['ready is not an array', {ready: []}, 'ready', 'must be an object with port, http or log; got an array of 0'],
	['ready says something', {ready: {}}, 'ready', 'must have exactly one of port, http and log; got an object'],
	[
		'ready says one thing',
		{ready: {port: 1, log: 'x'}},
		'ready',
		'must have exactly one of port, http and log; got an object',
	],
	['a port is a number', {ready: {port: '80'}}, 'ready.port', 'must be a whole number from 1 to 65535; got "80"'],
	['a port is not 0', {ready: {port: 0}}, 'ready.port', 'must be a whole number from 1 to 65535; got 0'],
	[
		'a port is at most 65535',
		{ready: {port: 65_536}},
		'ready.port',
		'must be a whole number from 1 to 65535; got 65536',
	],
	[
		'a URL is one of http',
		{ready: {http: 'file:///etc/passwd'}},
		'ready.http',
		'must be a URL that begins with http: or https:, without a user or a password; got "file:///etc/passwd"',
	],
	[
		'a URL has no password',
		{ready: {http: 'http://a:b@localhost/'}},
		'ready.http',
		'must be a URL that begins with http: or https:, without a user or a password; got "http://a:b@localhost/"',
	],
	['a text to wait for is not empty', {ready: {log: ''}}, 'ready.log', 'must not be empty; got ""'],
	[
		'the time to get ready is not 0',
		{ready: {port: 1, timeout: 0}},
		'ready.timeout',
		'must be a whole number of seconds from 1 to 86400; got 0',
	],
	[
		'ready has no other field',
		{ready: {port: 1, host: '::1'}},
		'ready.host',
		'is not known here; known are port, http, log, timeout',
	],
	['limits are an object', {limits: 5}, 'limits', 'must be an object of limits; got 5'],
	['limits are not null', {limits: null}, 'limits', 'must be an object of limits; got null'],
	['limits are not an array', {limits: []}, 'limits', 'must be an object of limits; got an array of 0'],
	[
		'an unknown limit is told with the nearest',
		{limits: {memory: 1}},
		'limits.memory',
		'is not a known limit; did you mean memory_bytes?',
	],
	['a limit is a number', {limits: {pids: '5'}}, 'limits.pids', 'must be a whole number of processes; got "5"'],
	['a limit is a whole number', {limits: {pids: 1.5}}, 'limits.pids', 'must be a whole number of processes; got 1.5'],
	['a limit is not 0', {limits: {pids: 0}}, 'limits.pids', 'must be at least 1 processes; got 0'],
	['a limit is not negative', {limits: {cpu_percent: -1}}, 'limits.cpu_percent', 'must be at least 1 percent; got -1'],
	[
		'less memory than a shell needs is refused',
		{limits: {memory_bytes: 1_048_575}},
		'limits.memory_bytes',
		'must be at least 1048576 bytes; got 1048575',
	],
	[
		'best_effort is a boolean',
		{limits: {best_effort: 'yes'}},
		'limits.best_effort',
		'must be true or false; got "yes"',
	],
];

for (const [title, input, field, says] of refusals) {
	test(title, rejects, parseHttp, {command: 'ls', ...input}, field, `${field} ${says}`);
}

for (const [what, secret] of Object.entries({
	'is a number': 4711,
	'is an array': ['hunter2'],
	'is an object': {password: 'hunter2'},
	'has a NUL': 'hunter2\0',
	'has a lone surrogate': 'hunter2\ud800',
	'is too long': 'hunter2'.repeat(20_000),
})) {
	test(`an environment value is never repeated, not even where it ${what}`, t => {
		const error = t.throws(() => parseHttp({command: 'ls', env: {SAFE: 'x', TOKEN: secret}}), {
			instanceOf: CommandInvalidError,
		});

		t.is(error.field, 'env.TOKEN');
		t.notRegex(error.message, /hunter2|4711/);
	});
}

test('an environment that came as one string is not repeated either', t => {
	const error = t.throws(() => parseHttp({command: 'ls', env: 'TOKEN=hunter2'}), {instanceOf: CommandInvalidError});

	t.is(error.message, 'env must be an object of strings; got string');
});

const knownFields = 'command, args, env, stdin, leftover, name, timeout, working_dir, workdir, limits, ready';

const unknownFields: readonly [field: string, says: string][] = [
	['comand', 'did you mean command?'],
	['arg', 'did you mean args?'],
	['time_out', 'did you mean timeout?'],
	['timeoutMs', 'did you mean timeout?'],
	['workingDir', 'did you mean working_dir?'],
	['work_dir', 'did you mean workdir?'],
	['Env', 'did you mean env?'],
	['left_over', 'did you mean leftover?'],
	['limit', 'did you mean limits?'],
	['completely_different', `known are ${knownFields}`],
	['constructor', `known are ${knownFields}`],
];

for (const [field, says] of unknownFields) {
	test(
		`the unknown field ${field} is refused: ${says}`,
		rejects,
		parseHttp,
		{command: 'ls', [field]: 'x'},
		field,
		`${field} is not a known field; ${says}`,
	);
}

test('the field __proto__ is unknown like any other', t => {
	const error = t.throws(() => parseHttp(JSON.parse('{"command": "ls", "__proto__": {"name": "x"}}')), {
		instanceOf: CommandInvalidError,
	});

	t.is(error.field, '__proto__');
});

test('the library does not know the spelling of HTTP', t => {
	const error = t.throws(() => parseLibrary({command: 'ls', timeout: 5}), {instanceOf: CommandInvalidError});

	t.is(error.message, 'timeout is not a known field; did you mean timeoutMs?');
});

test('the name of an unknown field is cut where it is long', t => {
	const error = t.throws(() => parseHttp({command: 'ls', ['x'.repeat(100_000)]: 1}), {instanceOf: CommandInvalidError});

	t.is(error.field, `${'x'.repeat(80)}…`);
});

for (const {spelling, directory} of spellings) {
	test(`${spelling}: a directory where no command may run is refused with its path`, t => {
		const parse = spelling === 'library' ? parseCommand : parseCommandBody;
		const problems = {...commandDefaults, problemWithDirectory: () => 'does not exist'};

		const error = t.throws(() => parse({command: 'ls', [directory]: 'gone'}, problems), {
			instanceOf: CommandInvalidError,
		});

		t.like(error, {field: directory, message: `${directory} does not exist: "/home/agent/gone"`});
	});
}

/** The limits of a command, without those that were not given. */
function asStored({command}: ParsedCommand): unknown {
	return JSON.parse(JSON.stringify(command.limits));
}

for (const {spelling, parse, memoryField, cpuField, effortField} of [
	{spelling: 'library', ...inLibrary},
	{spelling: 'HTTP', ...inHttp},
]) {
	const holding = (...limits: LimitName[]): CommandDefaults => ({...commandDefaults, limits: new Set(limits)});
	const limits = {[memoryField]: 10_000_000, pids: 20, [cpuField]: 50};

	test(`${spelling}: limits that hold here are taken`, t => {
		const parsed = parse({command: 'ls', limits}, holding('memoryBytes', 'pids', 'cpuPercent'));

		t.deepEqual(asStored(parsed), {memoryBytes: 10_000_000, pids: 20, cpuPercent: 50});
	});

	for (const [field, held] of [
		[memoryField, ['pids', 'cpuPercent']],
		['pids', ['memoryBytes', 'cpuPercent']],
		[cpuField, ['memoryBytes', 'pids']],
	] as const) {
		test(`${spelling}: a limit that cannot be held here is refused: ${field}`, t => {
			const error = t.throws(() => parse({command: 'ls', limits}, holding(...held)), {
				instanceOf: CommandInvalidError,
			});

			t.like(error, {
				field: `limits.${field}`,
				message: `limits.${field} cannot be held on this machine: it needs a cgroup v2 controller that nohupd may use`,
			});
		});
	}

	test(`${spelling}: a limit that cannot be held here is accepted as best effort, and kept as it was asked for`, t => {
		const parsed = parse({command: 'ls', limits: {pids: 20, [effortField]: true}}, holding());

		t.deepEqual(asStored(parsed), {pids: 20, bestEffort: true});
	});

	test(`${spelling}: a limit that is expressly no best effort is refused where it cannot be held`, t => {
		t.throws(() => parse({command: 'ls', limits: {pids: 20, [effortField]: false}}, holding('memoryBytes')), {
			instanceOf: CommandInvalidError,
		});
	});

	test(`${spelling}: no limit is none, and can be held anywhere`, t => {
		t.is(parse({command: 'ls', limits: {}}, holding()).command.limits, null);
	});
}

test('the library does not know the limits of HTTP', t => {
	const error = t.throws(() => parseLibrary({command: 'ls', limits: {memory_bytes: 10_000_000}}), {
		instanceOf: CommandInvalidError,
	});

	t.like(error, {
		field: 'limits.memory_bytes',
		message: 'limits.memory_bytes is not a known limit; did you mean memoryBytes?',
	});
});
