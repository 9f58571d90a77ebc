/**
 * `npm run bench`: measures nohupd beside what a user would use instead, and writes `test/bench/RESULTS.md` and `results.json`.
 * `--short` shows in less than a minute that the benchmark works, `--long` takes its time; `--only kill,start-60` picks
 * scenarios, `--no-peers` installs nothing, `--out DIR` writes elsewhere.
 */
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {loadavg} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {type LineResult, runScenario} from './harness.js';
import {kernel, machine, ownVersion, toMarkdown} from './report.js';
import {listScenarios} from './scenarios.js';
import {sizes} from './sizes.js';

const {values} = parseArgs({
	options: {
		short: {type: 'boolean', default: false},
		long: {type: 'boolean', default: false},
		only: {type: 'string'},
		'no-peers': {type: 'boolean', default: false},
		out: {type: 'string', default: fileURLToPath(new URL('../../../test/bench', import.meta.url))},
	},
});

const form = values.short ? 'short' : values.long ? 'long' : 'usual';
const chosen = values.only?.split(',');
const loadBefore = loadavg()[0] ?? 0;
const tell = (line: string) => void process.stderr.write(`${line}\n`);
const results: LineResult[] = [];
mkdirSync(values.out, {recursive: true});
for (const scenario of listScenarios(sizes[form])) {
	if (chosen === undefined || chosen.includes(scenario.name)) {
		const harness = {rounds: sizes[form].rounds, withPeers: !values.short && !values['no-peers'], tell};
		results.push(...(await runScenario(scenario, harness)));
		// After each, so that a run that is cut short has not been for nothing.
		write();
	}
}

process.stdout.write(readFileSync(join(values.out, 'RESULTS.md')));

function write(): void {
	const circumstances = {
		date: new Date().toISOString().slice(0, 10),
		machine: machine(),
		kernel: kernel(),
		node: process.version,
		nohupd: ownVersion(),
		load: [loadBefore, loadavg()[0] ?? 0] as const,
		form,
		sizes: sizes[form],
	};
	writeFileSync(join(values.out, 'RESULTS.md'), toMarkdown(results, circumstances));
	writeFileSync(join(values.out, 'results.json'), `${JSON.stringify({circumstances, results}, null, '\t')}\n`);
}
