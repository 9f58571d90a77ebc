import {execFile} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import test from 'ava';
import {makeTempDir} from '../helpers/temp-dir.js';
import {listGrowths} from './growths.js';
import {type Cell, notMeasured} from './harness.js';
import {chartName} from './report.js';
import type {Results} from './results.js';
import {listScenarios} from './scenarios.js';
import {sizes} from './sizes.js';

const program = fileURLToPath(new URL('main.js', import.meta.url));
const daemons = ['task-spooler', 'systemd-run', 'pm2', 'supervisord'];

/** Whoever did not give a number, as `measure: who: why`. */
function withoutNumber(title: string, cells: Readonly<Record<string, Cell>>): string[] {
	return Object.entries(cells).flatMap(([who, cell]) => {
		const why = 'skipped' in cell ? cell.skipped : cell.values.every(Number.isFinite) ? null : 'no number';
		return why === null ? [] : [`${title}: ${who}: ${why}`];
	});
}

test('the short form measures everybody on every line, and draws how it grows', async t => {
	// Most of a minute on a machine that is at rest.
	t.timeout(240_000);
	const dir = makeTempDir(t);

	const {stdout} = await promisify(execFile)(process.execPath, [program, '--short', '--out', dir]);

	t.is(stdout, readFileSync(join(dir, 'RESULTS.md'), 'utf8'));
	const {entries}: Results = JSON.parse(readFileSync(join(dir, 'results.json'), 'utf8'));
	const growths = listGrowths(sizes.short);
	t.deepEqual(
		entries.map(({name}) => name),
		[...listScenarios(sizes.short), ...growths.map(({name}) => ({name: `growth-${name}`}))].map(({name}) => name),
	);
	const missing = entries.flatMap(({lines, curves}) => [
		...lines.flatMap(({line, cells}) => withoutNumber(line.title, cells)),
		...curves.flatMap(({line, points}) => points.flatMap(({cells}) => withoutNumber(line.title, cells))),
	]);
	t.deepEqual(missing.filter(isUnexpected), []);
	const unmeasured = entries.flatMap(({lines}) => lines).filter(({cells}) => Object.values(cells).every(isSkipped));
	t.deepEqual(unmeasured, []);
	for (const who of daemons) {
		t.true(stdout.includes(`- ${who}: not in the short form\n`));
	}

	for (const {name, curves} of entries) {
		for (const curve of curves) {
			const svg = readFileSync(join(dir, 'charts', chartName(name, curve)), 'utf8');
			t.regex(svg, /^<svg [\s\S]*<\/svg>$/);
			t.true(svg.includes(curve.line.title) && stdout.includes(`charts/${chartName(name, curve)})`));
		}
	}
});

function isSkipped(cell: Cell): boolean {
	return 'skipped' in cell;
}

/** Daemons are not in the short form, nor is a C loop where no compiler is; a figure may not be everybody's. */
function isUnexpected(reason: string): boolean {
	const [, who = '', why = ''] = reason.split(': ');
	const isPeerLeftOut = daemons.includes(who) && why === 'not in the short form';
	const isWithoutCompiler = who === 'posix_spawn' && why === 'cc is not installed';
	return !(isPeerLeftOut || isWithoutCompiler || (who === 'posix_spawn' && why === notMeasured));
}
