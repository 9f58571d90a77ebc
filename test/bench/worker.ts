/**
 * `node worker.js WORK CONTENDER DIR OPTIONS_JSON PEER_PATH`: one measurement in a program of its own, so that no contender
 * inherits the heap of another. Writes its figures as one line of JSON.
 */
import {openHttp, openHttpWithEvents} from './http-runner.js';
import {openPeer} from './peers/peers.js';
import {measureSpawnLoop} from './peers/spawn-loop.js';
import {openExeca, openLibrary, openRawSpawn, type Runner} from './runner.js';
import {measureEnds} from './work/ends.js';
import {measureFollowers} from './work/followers.js';
import {killBySupervisor, killByTreeKill} from './work/kill.js';
import {measureLoaded} from './work/loaded.js';
import {measureIdle} from './work/memory.js';
import {measureOutput} from './work/output.js';
import {measureReady} from './work/ready.js';
import {measureRequests} from './work/requests.js';
import {measureStart} from './work/start.js';
import {measureStore} from './work/store.js';
import {measureThroughput} from './work/throughput.js';

export type Work = keyof typeof works;
export type Figures = Readonly<Record<string, number>>;

interface Turn {
	readonly contender: string;
	readonly dir: string;
	/** What the work's own options are; the scenario gives them. */
	readonly options: never;
	/** Where a peer was installed. */
	readonly peerPath: string;
}

const runners: Readonly<Record<string, (dir: string) => Promise<Runner> | Runner>> = {
	library: openLibrary,
	session: dir => openLibrary(dir, 'session'),
	spawn: openRawSpawn,
	execa: openExeca,
	http: openHttp,
	events: openHttpWithEvents,
};

async function withRunner(turn: Turn, work: (runner: Runner) => Promise<Figures>): Promise<Figures> {
	const {contender, dir, peerPath} = turn;
	const runner = (await runners[contender]?.(dir)) ?? (await openPeer(contender, peerPath, dir));
	const figures = await work(runner);
	await runner.settled();
	await runner.close();
	return figures;
}

function start(turn: Turn): Promise<Figures> | Figures {
	const {count} = turn.options as {count: number};
	return turn.contender === 'posix_spawn'
		? measureSpawnLoop(turn.peerPath, {count, inFlight: 1})
		: withRunner(turn, runner => measureStart(runner, turn.options));
}

function throughput(turn: Turn): Promise<Figures> | Figures {
	return turn.contender === 'posix_spawn'
		? measureSpawnLoop(turn.peerPath, turn.options)
		: withRunner(turn, runner => measureThroughput(runner, turn.options));
}

function kill({contender, dir, options}: Turn): Promise<Figures> {
	const {size} = options as {size: number};
	return contender === 'tree-kill'
		? killByTreeKill(size)
		: killBySupervisor(dir, size, contender === 'session' ? 'session' : 'auto');
}

const works = {
	kill,
	start,
	throughput,
	output: (turn: Turn) => withRunner(turn, runner => measureOutput(runner, turn.options)),
	ends: (turn: Turn) => withRunner(turn, runner => measureEnds(runner, turn.dir, turn.options)),
	loaded: (turn: Turn) => withRunner(turn, runner => measureLoaded(runner, turn.dir, turn.options)),
	ready: ({contender, dir, options}: Turn) => measureReady(contender, dir, options),
	followers: ({contender, dir, options}: Turn) => measureFollowers(contender, dir, options),
	idle: ({contender, dir, options}: Turn) => measureIdle(contender, dir, options),
	store: ({contender, dir, options}: Turn) => measureStore(contender, dir, options),
	requests: ({contender, dir, options}: Turn) => measureRequests(contender, dir, options),
};

const [work = '', contender = '', dir = '', options = '{}', peerPath = ''] = process.argv.slice(2);
const turn = {contender, dir, options: JSON.parse(options) as never, peerPath};
const figures = await works[work as Work](turn);
// Whatever a peer has left open must not hold us.
process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit());
