import {execFile} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import test from 'ava';
import {makeTempDir} from '../helpers/temp-dir.js';
import type {LineResult} from './harness.js';

const program = fileURLToPath(new URL('main.js', import.meta.url));

test('the short form measures everybody on every line', async t => {
	t.timeout(110_000);
	const dir = makeTempDir(t);

	const {stdout} = await promisify(execFile)(process.execPath, [program, '--short', '--out', dir]);

	t.is(stdout, readFileSync(join(dir, 'RESULTS.md'), 'utf8'));
	const {results} = JSON.parse(readFileSync(join(dir, 'results.json'), 'utf8')) as {results: LineResult[]};
	t.true(results.length > 15);
	const skipped = results.flatMap(({line, cells}) =>
		Object.entries(cells).flatMap(([who, cell]) =>
			'skipped' in cell ? [`${line.title}: ${who}: ${cell.skipped}`] : [],
		),
	);
	t.deepEqual(
		skipped.filter(reason => !reason.endsWith('no endpoint tells of ends yet')),
		[],
	);
});
