import {spawnSync} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import {findPrograms} from '../../lib/keeper/programs.js';
import {readSpecification, specify} from '../../lib/keeper/specification.js';
import {aQueuedProcess} from '../helpers/a-process.js';
import {makeTempDir} from '../helpers/temp-dir.js';

const programs = findPrograms();
const place = {linePath: '/nowhere/line', gracePeriodMs: 5000, programs};

// Not NUL, which no argument can hold; all else may stand anywhere. Bash's own characters more often than the rest.
const character = fc.oneof(
	fc.constantFrom(...`'"\\\`$(){}[]*?~!#&|;<> \t\n\r=-%^`),
	fc.string({unit: 'binary', minLength: 1, maxLength: 1}),
);
const anyText = fc.string({unit: character, maxLength: 40}).filter(text => !text.includes('\0'));
const variable = fc.stringMatching(/^[A-Za-z_]\w{0,10}$/).map(name => `N_${name}`);

function specifyIt(words: readonly string[], environment: ReadonlyMap<string, string> = new Map()) {
	const [line = '', ...args] = words;
	const {sequence, ...process} = aQueuedProcess({command: {line, args, workingDir: '/'}});
	return {process, text: specify(process, environment, place).text};
}

test('any words reach a program byte for byte', t => {
	const path = join(makeTempDir(t), 'spec');

	fc.assert(
		fc.property(fc.array(anyText, {minLength: 1, maxLength: 30}), words => {
			writeFileSync(path, specifyIt(words).text);

			const script = `f() { LC_ALL=C; . "$1"; printf '%s\\0' "\${@:2}"; }; f "$1"`;
			const {stdout} = spawnSync(programs.bash, ['--norc', '-c', script, 'bash', path], {env: {}});

			t.deepEqual(stdout.toString().split('\0').slice(0, -1), words);
		}),
		{numRuns: 100},
	);
});

test('any values reach the environment byte for byte', t => {
	const path = join(makeTempDir(t), 'spec');

	fc.assert(
		fc.property(fc.dictionary(variable, anyText, {maxKeys: 20}), values => {
			const environment = new Map(Object.entries(values));
			writeFileSync(path, specifyIt([programs.env, '-0'], environment).text);

			const script = `f() { LC_ALL=C; . "$1"; environment; exec -a "$1" -- "\${@:2}"; }; f "$1"`;
			const {stdout} = spawnSync(programs.bash, ['--norc', '-c', script, 'bash', path], {env: {}});

			const found = stdout.toString().split('\0').slice(0, -1);
			const ours = found.filter(entry => entry.startsWith('N_')).sort();
			t.deepEqual(ours, [...environment].map(([name, value]) => `${name}=${value}`).sort());
		}),
		{numRuns: 100},
	);
});

test('any process is read back from its specification as it was', t => {
	fc.assert(
		fc.property(fc.array(anyText, {minLength: 1, maxLength: 5}), words => {
			const {process, text} = specifyIt(words);

			t.deepEqual(
				readSpecification(text, process.processId, () => ''),
				process,
			);
		}),
	);
});
