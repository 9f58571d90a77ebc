import {readFileSync} from 'node:fs';
import {availableParallelism, cpus, release, totalmem} from 'node:os';
import type {Cell, LineResult} from './harness.js';
import type {Line} from './scenarios.js';
import type {Sizes} from './sizes.js';

type Measured = Extract<Cell, {median: number}>;

/** Where and when it was measured. */
export interface Circumstances {
	readonly date: string;
	readonly machine: string;
	readonly kernel: string;
	readonly node: string;
	readonly nohupd: string;
	/** Of one minute, before and after: other work on the machine shows. */
	readonly load: readonly [number, number];
	readonly form: string;
	readonly sizes: Sizes;
}

export function machine(): string {
	const [cpu] = cpus();
	const gigabytes = Math.round(totalmem() / 2 ** 30);
	return `${availableParallelism()} × ${cpu?.model.trim() ?? 'unknown processor'}, ${gigabytes} GB`;
}

export function kernel(): string {
	return `Linux ${release()}`;
}

export function ownVersion(): string {
	const packageFile = new URL('../../../package.json', import.meta.url);
	return (JSON.parse(readFileSync(packageFile, 'utf8')) as {version: string}).version;
}

export function toMarkdown(results: readonly LineResult[], circumstances: Circumstances): string {
	const {date, machine, kernel, node, nohupd, load, form, sizes} = circumstances;
	return [
		'# Benchmarks',
		'',
		'Written by `npm run bench`; read [the harness](harness.ts) for how. Median (minimum to maximum) of alternating rounds,',
		'each in a program of its own. `library` is nohupd in-process, `session` the same without cgroups, `http` and `daemon`',
		'`nohupd serve` with JWT; `spawn` is `child_process.spawn` with output to files, which keeps nothing.',
		'',
		`- ${date}, ${form} form, ${sizes.rounds} rounds`,
		`- ${machine}; ${kernel}; Node.js ${node}; nohupd ${nohupd}`,
		`- load of the machine before and after: ${load.map(value => value.toFixed(1)).join(', ')}`,
		'',
		'| measure | results | target | reached |',
		'| --- | --- | --- | --- |',
		...results.map(toRow),
		'',
		...skippedOf(results),
	].join('\n');
}

function toRow({line, cells, verdict}: LineResult): string {
	const shown = Object.entries(cells).flatMap(([contender, cell]) =>
		isShown(line, contender, cell) ? [`${contender} ${toText(cell, line.unit)}`] : [],
	);
	const reached = verdict === null ? '' : `${verdict.isMet ? 'yes' : '**no**'}: ${short(verdict.value)}`;
	return `| ${line.title} | ${shown.join('<br>')} | ${line.target?.text ?? ''} | ${reached} |`;
}

function isShown({of}: Line, contender: string, cell: Cell): cell is Measured {
	return 'median' in cell && !Number.isNaN(cell.median) && (of ?? [contender]).includes(contender);
}

function toText({median, min, max, values}: Measured, unit: string): string {
	const spread = values.length === 1 ? '' : ` (${short(min)} to ${short(max)})`;
	return `**${short(median)}** ${unit}${spread}`;
}

/** Three digits are more than repeat. */
function short(value: number): string {
	return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

/** Each reason once. */
function skippedOf(results: readonly LineResult[]): string[] {
	const reasons = results.flatMap(({cells}) =>
		Object.entries(cells).flatMap(([contender, cell]) =>
			'skipped' in cell && cell.skipped !== 'not measured' ? [`- ${contender}: ${cell.skipped}`] : [],
		),
	);
	return reasons.length === 0 ? [] : ['Left out:', '', ...new Set(reasons), ''];
}
