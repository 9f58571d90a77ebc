import {existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {isDeepStrictEqual} from 'node:util';
import {drawChart} from './chart.js';
import type {Circumstances} from './circumstances.js';
import type {Curve, LineResult} from './harness.js';
import {chartName, pointsOf, toMarkdown} from './report.js';

/** What one scenario gave: lines of the table, or curves. */
export interface Entry {
	readonly name: string;
	/** Day and time of its end, UTC. */
	readonly takenAt: string;
	/** Of one minute, before and after: other work on the machine shows. */
	readonly load: readonly [number, number];
	readonly lines: readonly LineResult[];
	readonly curves: readonly Curve[];
}

/** All that was measured in one directory, in the order of the scenarios. */
export interface Results {
	readonly circumstances: Circumstances;
	/** Of peers, as far as they were there. */
	readonly peers: Readonly<Record<string, string>>;
	readonly entries: readonly Entry[];
}

/** What an earlier run left of those that are not measured now; nothing of other circumstances. */
export function readResults(directory: string, circumstances: Circumstances): Results {
	const path = join(directory, 'results.json');
	const found = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Results) : null;
	return found !== null && isDeepStrictEqual(found.circumstances, circumstances)
		? found
		: {circumstances, peers: {}, entries: []};
}

/** The same results with an entry in its place. */
export function withEntry(results: Results, entry: Entry, order: readonly string[]): Results {
	const others = results.entries.filter(({name}) => name !== entry.name && order.includes(name));
	const entries = [...others, entry].sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
	return {...results, entries};
}

/** Everything anew: `results.json`, `RESULTS.md`, and its charts. */
export function writeResults(directory: string, results: Results): void {
	const charts = join(directory, 'charts');
	rmSync(charts, {recursive: true, force: true});
	mkdirSync(charts, {recursive: true});
	for (const {name, curves} of results.entries) {
		for (const curve of curves) {
			const {line, over} = curve;
			const chart = {title: line.title, unit: line.unit, over, series: pointsOf(curve)};
			writeFileSync(join(charts, chartName(name, curve)), drawChart(chart));
		}
	}

	writeFileSync(join(directory, 'results.json'), `${JSON.stringify(results, null, '\t')}\n`);
	writeFileSync(join(directory, 'RESULTS.md'), toMarkdown(results));
}
