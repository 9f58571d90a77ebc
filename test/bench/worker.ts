/**
 * `node worker.js WORK CONTENDER DIR OPTIONS_JSON`: one measurement in a program of its own, so that no contender inherits the heap of
 * another. Writes its figures as one line of JSON.
 */
import {openHttp} from './http-runner.js';
import {openPeer, type PeerName} from './peers.js';
import {openExeca, openLibrary, openRawSpawn, type Runner} from './runner.js';
import {measureEnds} from './work/ends.js';
import {killBySupervisor, killByTreeKill} from './work/kill.js';
import {measureBeside, measureIdle} from './work/memory.js';
import {measureOutput} from './work/output.js';
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
}

const runners: Readonly<Record<string, (dir: string) => Promise<Runner> | Runner>> = {
	library: openLibrary,
	session: dir => openLibrary(dir, 'session'),
	spawn: openRawSpawn,
	execa: openExeca,
	http: openHttp,
};

async function withRunner({contender, dir}: Turn, work: (runner: Runner) => Promise<Figures>): Promise<Figures> {
	const runner = (await runners[contender]?.(dir)) ?? (await openPeer(contender as PeerName, dir));
	const figures = await work(runner);
	await runner.close();
	return figures;
}

function kill({contender, dir, options}: Turn): Promise<Figures> {
	const {size} = options as {size: number};
	return contender === 'tree-kill'
		? killByTreeKill(size)
		: killBySupervisor(dir, size, contender === 'session' ? 'session' : 'auto');
}

const works = {
	kill,
	start: (turn: Turn) => withRunner(turn, runner => measureStart(runner, turn.options)),
	throughput: (turn: Turn) => withRunner(turn, runner => measureThroughput(runner, turn.options)),
	output: (turn: Turn) => withRunner(turn, runner => measureOutput(runner, turn.options)),
	ends: ({contender, dir, options}: Turn) => measureEnds(contender, dir, options),
	idle: ({contender, dir, options}: Turn) => measureIdle(contender, dir, options),
	beside: ({dir, options}: Turn) => measureBeside(dir, options),
	store: ({dir, options}: Turn) => measureStore(dir, options),
	requests: ({dir, options}: Turn) => measureRequests(dir, options),
};

const [work = '', contender = '', dir = '', options = '{}'] = process.argv.slice(2);
const figures = await works[work as Work]({contender, dir, options: JSON.parse(options) as never});
// Whatever a peer has left open must not hold us.
process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit());
