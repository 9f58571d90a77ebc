import {installPeer, isPeer, type Peer, type PeerName} from './peers/peers.js';
import type {Growth, Line, Scenario} from './scenario.js';
import {median} from './statistics.js';
import {judge, type Medians, type Verdict} from './target.js';
import {takeTurn} from './turn.js';
import type {Figures} from './worker.js';

/** One contender on one line. */
export type Cell =
	| {readonly median: number; readonly min: number; readonly max: number; readonly values: readonly number[]}
	| {readonly skipped: string};

/** A line as it was measured. */
export interface LineResult {
	readonly line: Line;
	readonly cells: Readonly<Record<string, Cell>>;
	/** `null` where nothing is compared, or one who is compared was not measured. */
	readonly verdict: Verdict | null;
}

/** A line at several sizes. */
export interface Curve {
	readonly line: Line;
	/** What there are ever more of. */
	readonly over: string;
	readonly points: readonly {readonly size: number; readonly cells: Readonly<Record<string, Cell>>}[];
}

/** What a contender measured in its rounds, or why it did not. */
type Taken = {readonly figures: readonly Figures[]} | {readonly skipped: string};

export interface Harness {
	readonly rounds: number;
	readonly turnMs: number;
	/** Why slow peers are left out; `null` where they are not. */
	readonly whyNoPeers: string | null;
	readonly tell: (line: string) => void;
	/** Ends it at once, with nothing left behind. */
	readonly interruption: AbortSignal;
	/** Notes which version of a peer was measured. */
	readonly noteVersion: (peer: PeerName, version: string) => void;
}

/**
 * All contenders of a scenario in turn, round by round: whatever else the machine does disturbs all alike. Rejects only where
 * it is interrupted.
 */
export async function runScenario(scenario: Scenario, harness: Harness): Promise<LineResult[]> {
	const taken = new Map<string, Taken>();
	const slow = scenario.slow?.contenders ?? [];
	const peers = await installPeers([...scenario.contenders, ...slow].filter(isPeer), slow, harness);
	try {
		const contenders = [...scenario.contenders, ...slow];
		for (let round = 0; round < harness.rounds; round++) {
			for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
				taken.set(contender, await next(scenario, contender, peers.get(contender), taken.get(contender), harness));
				harness.tell(`${scenario.name}: ${contender}, round ${round + 1} of ${harness.rounds}`);
			}
		}
	} finally {
		for (const peer of peers.values()) {
			await ('path' in peer ? peer.remove() : undefined);
		}
	}

	return scenario.lines.map(line => toResult(line, taken));
}

/** The same scenario at one size after the other. */
export async function runGrowth({name, over, sizes, at, lines}: Growth, harness: Harness): Promise<Curve[]> {
	const results: {size: number; results: LineResult[]}[] = [];
	for (const size of sizes) {
		results.push({size, results: await runScenario({name: `${name} at ${size}`, lines, ...at(size)}, harness)});
	}

	return lines.map((line, i) => ({
		line,
		over,
		points: results.map(({size, results}) => ({size, cells: results[i]?.cells ?? {}})),
	}));
}

async function installPeers(
	names: readonly PeerName[],
	slow: readonly string[],
	{whyNoPeers, noteVersion}: Harness,
): Promise<ReadonlyMap<string, Peer>> {
	const peers = new Map<string, Peer>();
	for (const name of names) {
		const peer = whyNoPeers !== null && slow.includes(name) ? {skipped: whyNoPeers} : await installPeer(name);
		peers.set(name, peer);
		if ('path' in peer) {
			noteVersion(name, peer.version);
		}
	}

	return peers;
}

/** One that has failed once is not asked again. */
async function next(
	{work, options, slow, nodeFlags = []}: Scenario,
	contender: string,
	peer: Peer | undefined,
	before: Taken = {figures: []},
	{turnMs: limitMs, interruption}: Harness,
): Promise<Taken> {
	if ('skipped' in before) {
		return before;
	}

	if (peer !== undefined && 'skipped' in peer) {
		return peer;
	}

	const isSlow = slow?.contenders.some(name => name === contender);
	try {
		const figures = await takeTurn({
			work,
			contender,
			options: isSlow ? (slow?.options ?? {}) : options,
			nodeFlags,
			peerPath: peer?.path ?? '',
			place: peer?.place,
			limitMs,
			interruption,
		});
		return {figures: [...before.figures, figures]};
	} catch (error) {
		interruption.throwIfAborted();
		return {skipped: (error as Error).message};
	}
}

function toResult(line: Line, taken: ReadonlyMap<string, Taken>): LineResult {
	const shown = [...taken].filter(([contender]) => line.of?.includes(contender) ?? true);
	const cells = Object.fromEntries(shown.map(([contender, each]) => [contender, toCell(line, each)]));
	return {line, cells, verdict: line.target === undefined ? null : judge(line.target, mediansOf(cells))};
}

function mediansOf(cells: Readonly<Record<string, Cell>>): Medians {
	return Object.fromEntries(
		Object.entries(cells).flatMap(([contender, cell]) => ('median' in cell ? [[contender, cell.median]] : [])),
	);
}

function toCell({figure}: Line, taken: Taken): Cell {
	if ('skipped' in taken) {
		return taken;
	}

	const values = taken.figures.map(figures => figures[figure]).filter(value => typeof value === 'number');
	return values.length === 0
		? {skipped: notMeasured}
		: {median: median(values), min: Math.min(...values), max: Math.max(...values), values};
}

/** Its turns were taken, but this figure is not one of its. */
export const notMeasured = 'not measured';
