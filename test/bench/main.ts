/**
 * `npm run bench`: measures nohupd beside what a user would use instead, and writes `test/bench/RESULTS.md`, its charts and
 * `results.json`. `--short` shows in less than a minute that the benchmark works, `--long` takes its time; `--only kill,start-60`
 * picks scenarios and keeps what was measured of the others before, `--no-peers` installs no daemons, `--out DIR` writes elsewhere.
 */
import {mkdirSync, readFileSync} from 'node:fs';
import {loadavg} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {readCircumstances} from './circumstances.js';
import {listGrowths} from './growths.js';
import {type Harness, runGrowth, runScenario} from './harness.js';
import {type Entry, readResults, withEntry, writeResults} from './results.js';
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
const size = sizes[form];
const peers: Record<string, string> = {};
const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
	process.once(signal, () => interruption.abort(new Error(`Interrupted by ${signal}`)));
}

const harness: Omit<Harness, 'rounds'> = {
	turnMs: size.turnMs,
	whyNoPeers: values.short ? 'not in the short form' : values['no-peers'] ? '--no-peers' : null,
	interruption: interruption.signal,
	tell: line => void process.stderr.write(`${line}\n`),
	noteVersion: (peer, version) => {
		peers[peer] = version;
	},
};

/** Everything that can be measured, by name. */
const all = new Map<string, () => Promise<Pick<Entry, 'lines' | 'curves'>>>();
for (const scenario of listScenarios(size)) {
	all.set(scenario.name, async () => ({
		lines: await runScenario(scenario, {...harness, rounds: size.rounds}),
		curves: [],
	}));
}

for (const growth of listGrowths(size)) {
	const run = async () => ({lines: [], curves: await runGrowth(growth, {...harness, rounds: size.growthRounds})});
	all.set(`growth-${growth.name}`, run);
}

const order = [...all.keys()];
const chosen = values.only?.split(',') ?? order;
const unknown = chosen.filter(name => !all.has(name));
if (unknown.length > 0) {
	throw new Error(`No scenario is called ${unknown.join(' or ')}; there are ${order.join(', ')}`);
}

mkdirSync(values.out, {recursive: true});
let results = readResults(values.out, readCircumstances(form));
for (const name of order.filter(name => chosen.includes(name))) {
	const before = load();
	const measured = await all.get(name)?.();
	if (measured !== undefined) {
		const takenAt = `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`;
		const entry = {name, takenAt, load: [before, load()] as const, ...measured};
		// After each, so that a run that is cut short has not been for nothing.
		results = withEntry({...results, peers: {...results.peers, ...peers}}, entry, order);
		writeResults(values.out, results);
	}
}

process.stdout.write(readFileSync(join(values.out, 'RESULTS.md')));

function load(): number {
	return loadavg()[0] ?? 0;
}
