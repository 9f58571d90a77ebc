import test from 'ava';
import fc from 'fast-check';
import {parseCommand, parseCommandBody} from '../../lib/command.js';
import {cookieName} from '../../lib/command-schema.js';
import {CommandInvalidError} from '../../lib/errors.js';
import {commandDefaults} from '../helpers/command-defaults.js';

const parsers = {parseCommand, parseCommandBody};

/** All that Unicode has, but NUL, which no argument can hold. */
const text = fc.string({unit: 'binary'}).filter(value => !value.includes('\0'));
const word = fc.constantFrom('__proto__', 'constructor', 'toString', 'A.B', 'a-b', 'UID', 'é');
const variable = fc.oneof(
	text.filter(name => name !== '' && !name.includes('=') && name !== cookieName),
	word,
);

const fields = [
	'command',
	'args',
	'timeout',
	'timeoutMs',
	'working_dir',
	'workdir',
	'workingDir',
	'env',
	'name',
	'limits',
];
const anything = fc.oneof(
	fc.anything({withNullPrototype: true, withBigInt: true, withSparseArray: true}),
	fc.dictionary(
		fc.constantFrom(...fields),
		fc.oneof(text, fc.anything(), fc.array(text), fc.dictionary(text, fc.anything())),
	),
);

for (const [name, parse] of Object.entries(parsers)) {
	test(`${name}: whatever is given, it is a command, or an error that names a field`, t => {
		fc.assert(
			fc.property(anything, input => {
				try {
					t.is(typeof parse(input, commandDefaults).command.line, 'string');
				} catch (error) {
					t.true(error instanceof CommandInvalidError && error.message !== '', String(error));
				}
			}),
			{numRuns: 1000},
		);
	});

	test(`${name}: any words and values are taken as they are`, t => {
		fc.assert(
			fc.property(
				text.filter(line => line.trim() !== ''),
				fc.array(text),
				fc.array(fc.tuple(variable, text)),
				(command, args, pairs) => {
					// Not by assignment, which takes __proto__ for something else; as JSON does it.
					const env = Object.fromEntries(pairs);

					const parsed = parse({command, args, env}, commandDefaults);

					t.deepEqual([parsed.command.line, parsed.command.args], [command, args]);
					t.deepEqual([...parsed.env].sort(), Object.entries(env).sort());
				},
			),
			{numRuns: 500},
		);
	});
}
