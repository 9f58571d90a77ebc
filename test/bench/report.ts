import {type Cell, type Curve, type LineResult, notMeasured} from './harness.js';
import type {Entry, Results} from './results.js';
import {type Point, shapeOf} from './statistics.js';
import type {Verdict} from './target.js';

type Measured = Extract<Cell, {median: number}>;

/** All of `RESULTS.md`: nothing in it is written by hand. */
export function toMarkdown({circumstances, peers, entries}: Results): string {
	const {form, machine, kernel, versions} = circumstances;
	const lines = entries.flatMap(entry => entry.lines);
	const curves = entries.flatMap(entry => entry.curves.map(curve => toCurveRow(entry.name, curve)));
	return [
		'# Benchmarks',
		'',
		'Written by `npm run bench`; read [the harness](harness.ts) for how, and [the notes](NOTES.md) for what was tried.',
		'Median (minimum to maximum) of alternating rounds, each in a program of its own. `library` is nohupd in-process,',
		'`session` the same without cgroups; `http` and `daemon` are `nohupd serve` with JWT, `events` the same with a client on',
		'`GET /events`, `raw` with clients that read exact bytes; `spawn` is `child_process.spawn` with output to files, which keeps',
		'nothing; `posix_spawn` is [a loop in C](peers/spawn-loop.c): the limit that the kernel sets; `empty` and `full` are daemons',
		'with nothing and with much in their state directories.',
		'',
		`- ${form} form on ${machine}; ${kernel}`,
		`- ${namesAndVersions(versions)}`,
		...(Object.keys(peers).length > 0 ? [`- ${namesAndVersions(peers)}`] : []),
		'',
		'| measure | results | target | reached |',
		'| --- | --- | --- | --- |',
		...lines.map(toRow),
		'',
		...section('Growth', curves.length === 0 ? [] : [...growthHead, ...curves]),
		...section('Left out', skippedIn(entries)),
		...section('When', [
			'| scenario | rounds | taken | load before and after |',
			'| --- | --- | --- | --- |',
			...entries.map(toTimeRow),
		]),
	].join('\n');
}

const growthHead = [
	'The shape is that of the straight line through the logarithms: a measure grows as N to the power of the exponent. Behind it the',
	'exponent of the last step alone, where a fixed cost hides less.',
	'',
	'| measure | over | results | chart |',
	'| --- | --- | --- | --- |',
];

function section(title: string, content: readonly string[]): string[] {
	return content.length === 0 ? [] : [`## ${title}`, '', ...content, ''];
}

function namesAndVersions(versions: Readonly<Record<string, string>>): string {
	return Object.entries(versions)
		.map(([name, version]) => `${name} ${version}`)
		.join('; ');
}

function toRow({line, cells, verdict}: LineResult): string {
	const shown = Object.entries(cells).flatMap(([contender, cell]) =>
		'median' in cell ? [`${contender} ${toText(cell, line.unit)}`] : [],
	);
	return `| ${line.title} | ${shown.join('<br>')} | ${verdict?.text ?? ''} | ${verdict === null ? '' : reached(verdict)} |`;
}

function reached({value, isMet}: Verdict): string {
	return isMet === null ? short(value) : `${isMet ? 'yes' : '**no**'}: ${short(value)}`;
}

function toText({median, min, max, values}: Measured, unit: string): string {
	const spread = values.length === 1 ? '' : ` (${short(min)} to ${short(max)})`;
	return `**${short(median)}** ${unit}${spread}`;
}

function toCurveRow(scenario: string, curve: Curve): string {
	const {line, over} = curve;
	const series = Object.entries(pointsOf(curve)).map(
		([contender, points]) =>
			`${contender} ${points.map(({median}) => short(median)).join(', ')} ${line.unit}${shapeText(points)}`,
	);
	const sizes = curve.points.map(({size}) => size.toLocaleString('en'));
	return `| ${line.title} | ${sizes.join(', ')} ${over} | ${series.join('<br>')} | ![${line.title}](charts/${chartName(scenario, curve)}) |`;
}

function shapeText(points: readonly Point[]): string {
	if (points.length < 2) {
		return '';
	}

	const {name, exponent, lastExponent} = shapeOf(points);
	return `: **${name}** (${exponent.toFixed(2)}, last ${lastExponent.toFixed(2)})`;
}

/** By contender: its medians, as far as a logarithm can show them. */
export function pointsOf({points}: Curve): Record<string, Point[]> {
	const series: Record<string, Point[]> = {};
	for (const {size, cells} of points) {
		for (const [contender, cell] of Object.entries(cells)) {
			if ('median' in cell && cell.median > 0) {
				series[contender] = [...(series[contender] ?? []), {size, median: cell.median}];
			}
		}
	}

	return series;
}

export function chartName(scenario: string, {line}: Curve): string {
	const figure = line.figure.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
	return `${scenario}-${figure}.svg`;
}

/** Three digits are more than repeat. */
function short(value: number): string {
	return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

/** Each reason once. */
function skippedIn(entries: readonly Entry[]): string[] {
	const reasons = entries
		.flatMap(allCells)
		.flatMap(([contender, cell]) =>
			'skipped' in cell && cell.skipped !== notMeasured ? [`- ${contender}: ${cell.skipped}`] : [],
		);
	return [...new Set(reasons)];
}

function toTimeRow(entry: Entry): string {
	const {name, takenAt, load} = entry;
	const rounds = Math.max(...allCells(entry).map(([, cell]) => ('median' in cell ? cell.values.length : 0)));
	return `| ${name} | ${rounds} | ${takenAt} | ${load.map(value => value.toFixed(1)).join(', ')} |`;
}

/** With whose they are. */
function allCells({lines, curves}: Entry): [contender: string, cell: Cell][] {
	const points = curves.flatMap(curve => curve.points);
	return [...lines, ...points].flatMap(({cells}) => Object.entries(cells));
}
