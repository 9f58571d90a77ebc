import {execFile} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';

import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {installPeer, type PeerName, peerVariable} from './peers.js';
import type {Line, Medians, Scenario} from './scenarios.js';
import {median} from './statistics.js';
import type {Figures} from './worker.js';

const worker = fileURLToPath(new URL('worker.js', import.meta.url));
const turnMs = 15 * 60_000;

/** One contender on one line. */
export type Cell =
	| {readonly median: number; readonly min: number; readonly max: number; readonly values: readonly number[]}
	| {readonly skipped: string};

export interface LineResult {
	readonly line: Line;
	readonly cells: Readonly<Record<string, Cell>>;
	/** The number that the target speaks of, and whether it is met; `null` where there is no target. */
	readonly verdict: {readonly value: number; readonly isMet: boolean} | null;
}

/** What a contender measured in its rounds, or why it did not. */
type Taken = {readonly figures: Figures[]} | {readonly skipped: string};

export interface Harness {
	readonly rounds: number;
	readonly withPeers: boolean;
	readonly tell: (line: string) => void;
}

/** All contenders of a scenario in turn, round by round: whatever else the machine does disturbs all alike. */
export async function runScenario(scenario: Scenario, harness: Harness): Promise<LineResult[]> {
	const taken = new Map<string, Taken>(
		Object.entries(scenario.skipped ?? {}).map(([contender, skipped]) => [contender, {skipped}]),
	);
	const peers = openPeers(scenario, harness, taken);
	try {
		const contenders = [...scenario.contenders, ...Object.keys(peers.paths)];
		for (let round = 0; round < harness.rounds; round++) {
			for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
				await takeTurn(scenario, contender, peers.paths, taken);
				harness.tell(`${scenario.name}: ${contender}, round ${round + 1} of ${harness.rounds}`);
			}
		}
	} finally {
		peers.remove();
	}

	return scenario.lines.map(line => toResult(line, taken));
}

function openPeers({peers}: Scenario, {withPeers}: Harness, taken: Map<string, Taken>) {
	const paths: Partial<Record<PeerName, string>> = {};
	for (const peer of withPeers ? (peers?.names ?? []) : []) {
		const installed = installPeer(peer);
		if ('path' in installed) {
			paths[peer] = installed.path;
		} else {
			taken.set(peer, installed);
		}
	}

	const remove = () => {
		for (const path of Object.values(paths)) {
			rmSync(path, {recursive: true, force: true});
		}
	};
	return {paths, remove};
}

async function takeTurn(
	scenario: Scenario,
	contender: string,
	paths: Partial<Record<PeerName, string>>,
	taken: Map<string, Taken>,
): Promise<void> {
	const before = taken.get(contender) ?? {figures: []};
	if ('skipped' in before) {
		return;
	}

	const path = paths[contender as PeerName];
	const options = path === undefined ? scenario.options : scenario.peers?.options;
	const env = path === undefined ? {} : {[peerVariable(contender as PeerName)]: path};
	// On a disk, as state directories are; what is in /tmp may be in memory, or among many others' files.
	const dir = mkdtempSync('/var/tmp/nohupd-bench-');
	const args = [...(scenario.nodeFlags ?? []), worker, scenario.work, contender, dir, JSON.stringify(options)];
	try {
		const {stdout} = await promisify(execFile)(process.execPath, args, {
			env: {...process.env, ...env},
			timeout: turnMs,
			maxBuffer: 1e8,
		});
		const figures = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Figures;
		taken.set(contender, {figures: [...before.figures, figures]});
	} catch (error) {
		const {stderr, message} = error as {stderr?: string; message: string};
		taken.set(contender, {skipped: /^\w*Error: .*$/m.exec(stderr ?? '')?.[0] ?? message});
	} finally {
		rmSync(dir, {recursive: true, force: true});
	}
}

function toResult(line: Line, taken: ReadonlyMap<string, Taken>): LineResult {
	const cells = Object.fromEntries([...taken].map(([contender, each]) => [contender, toCell(line, each)]));
	return {line, cells, verdict: judge(line, cells)};
}

function toCell({figure}: Line, taken: Taken): Cell {
	if ('skipped' in taken) {
		return taken;
	}

	const values = taken.figures.map(figures => figures[figure]).filter(value => typeof value === 'number');
	return values.length === 0
		? {skipped: 'not measured'}
		: {median: median(values), min: Math.min(...values), max: Math.max(...values), values};
}

function judge({target}: Line, cells: Readonly<Record<string, Cell>>): LineResult['verdict'] {
	if (target === undefined) {
		return null;
	}

	const medians: Medians = Object.fromEntries(
		Object.entries(cells).flatMap(([contender, cell]) => ('median' in cell ? [[contender, cell.median]] : [])),
	);
	const value = target.of(medians);
	const {atMost = Number.POSITIVE_INFINITY, atLeast = Number.NEGATIVE_INFINITY} = target;
	return {value, isMet: value <= atMost && value >= atLeast};
}
