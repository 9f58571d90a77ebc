import type {PeerName} from './peers.js';
import type {Sizes} from './sizes.js';
import type {Work} from './worker.js';

/** Medians by contender. */
export type Medians = Readonly<Record<string, number>>;

/** What a line of the table promises. */
export interface Target {
	readonly text: string;
	/** The number that is compared, made of the contenders' medians. */
	readonly of: (medians: Medians) => number;
	readonly atMost?: number;
	readonly atLeast?: number;
}

/** One line of the table: the same figure of several contenders. */
export interface Line {
	readonly title: string;
	readonly figure: string;
	readonly unit: string;
	/** Who is shown; default: all. */
	readonly of?: readonly string[];
	readonly target?: Target;
}

/** Measurements that come out of one turn of each contender. */
export interface Scenario {
	readonly name: string;
	readonly work: Work;
	readonly options: object;
	readonly contenders: readonly string[];
	/** Slow ones get less to do. */
	readonly peers?: {readonly names: readonly PeerName[]; readonly options: object};
	readonly nodeFlags?: readonly string[];
	/** Contenders that nobody can be measured for yet. */
	readonly skipped?: Readonly<Record<string, string>>;
	readonly lines: readonly Line[];
}

const ratio = (a: string, b: string) => (medians: Medians) => (medians[a] ?? Number.NaN) / (medians[b] ?? Number.NaN);
const difference = (a: string, b: string) => (medians: Medians) =>
	(medians[a] ?? Number.NaN) - (medians[b] ?? Number.NaN);
const only = (a: string) => (medians: Medians) => medians[a] ?? Number.NaN;
const peers = ['task-spooler', 'systemd-run', 'pm2', 'supervisord'] as const;

/** In the order of their weight. */
export function listScenarios(sizes: Sizes): Scenario[] {
	return [
		{
			name: 'kill',
			work: 'kill',
			options: {size: sizes.tree},
			contenders: ['library', 'session', 'tree-kill'],
			lines: [
				{
					title: `kill of a tree of ${sizes.tree}, until all are gone`,
					figure: 'killMs',
					unit: 'ms',
					target: {text: '≤ 0.1 × tree-kill (without cgroups)', of: ratio('session', 'tree-kill'), atMost: 0.1},
				},
				{
					title: 'the longest delay of the event loop meanwhile',
					figure: 'lateMs',
					unit: 'ms',
					target: {text: '≤ 30 ms (without cgroups)', of: only('session'), atMost: 30},
				},
			],
		},
		...sizes.heapsMb.map(heapMb => start(sizes, heapMb)),
		{
			name: 'throughput',
			work: 'throughput',
			options: {count: sizes.commands},
			contenders: ['library', 'http', 'spawn', 'execa'],
			peers: {names: peers, options: {count: sizes.peerCommands}},
			lines: [
				{
					title: 'commands fully run a second, 8 in flight, in-process',
					figure: 'perSecond',
					of: ['library', 'spawn', 'execa'],
					unit: '/s',
					target: {text: '≥ 0.85 × spawn', of: ratio('library', 'spawn'), atLeast: 0.85},
				},
				{
					title: 'the same over HTTP with JWT, beside other daemons',
					figure: 'perSecond',
					of: ['http', 'spawn', ...peers],
					unit: '/s',
					target: {text: '≥ 0.6 × spawn', of: ratio('http', 'spawn'), atLeast: 0.6},
				},
				{
					title: 'speed of the last thousand (or quarter) to that of the first',
					figure: 'lastToFirst',
					unit: '×',
					target: {text: '≥ 0.9', of: only('library'), atLeast: 0.9},
				},
				{
					title: 'processor time of the program that runs them, for a command',
					figure: 'cpuMs',
					unit: 'ms',
					target: {text: '≤ 0.35 × spawn', of: ratio('library', 'spawn'), atMost: 0.35},
				},
			],
		},
		{
			name: 'idle',
			work: 'idle',
			options: {settleMs: sizes.settleMs},
			contenders: ['daemon', 'library', 'bare'],
			lines: [
				{
					title: 'resident memory of the idle daemon',
					figure: 'rssMb',
					of: ['daemon'],
					unit: 'MB',
					target: {text: '≤ 70 MB', of: only('daemon'), atMost: 70},
				},
				{
					title: 'resident memory of a program with the library, and without',
					figure: 'rssMb',
					of: ['library', 'bare'],
					unit: 'MB',
					target: {text: '≤ 12 MB more than the bare program', of: difference('library', 'bare'), atMost: 12},
				},
			],
		},
		{
			name: 'beside',
			work: 'beside',
			options: {count: sizes.beside},
			contenders: ['library'],
			lines: [
				{
					title: `memory (PSS) of keeper and shims for each of ${sizes.beside} running commands`,
					figure: 'pssKb',
					unit: 'kB',
					target: {text: '≤ 250 kB', of: only('library'), atMost: 250},
				},
			],
		},
		{
			name: 'store',
			work: 'store',
			options: {running: sizes.running, ended: sizes.ended},
			contenders: ['daemon'],
			lines: [
				{
					title: `page of 100 from ${sizes.ended} stored, ${sizes.running} running, without output, over HTTP`,
					figure: 'pageMs',
					unit: 'ms',
					target: {text: '≤ 5 ms', of: only('daemon'), atMost: 5},
				},
				{title: 'start of a daemon with nothing, until it answers', figure: 'emptyMs', unit: 'ms'},
				{
					title: `what ${sizes.running} running and ${sizes.ended} ended add to that`,
					figure: 'extraMs',
					unit: 'ms',
					target: {text: '≤ 500 ms', of: only('daemon'), atMost: 500},
				},
			],
		},
		{
			name: 'ends',
			work: 'ends',
			options: {count: sizes.starts},
			contenders: ['library', 'spawn'],
			skipped: {http: 'no endpoint tells of ends yet'},
			lines: [
				{
					title: 'from the end of a command to its event, in-process',
					figure: 'toldMs',
					unit: 'ms',
					target: {text: '≤ 5 ms', of: only('library'), atMost: 5},
				},
			],
		},
		{
			name: 'output',
			work: 'output',
			options: {bytes: sizes.outputBytes},
			contenders: ['library', 'spawn'],
			lines: [
				{
					title: `${sizes.outputBytes / 1e6} MB of output`,
					figure: 'seconds',
					unit: 's',
					target: {text: '≤ 1.03 × spawn', of: ratio('library', 'spawn'), atMost: 1.03},
				},
				{
					title: 'processor the agent needs meanwhile',
					figure: 'cpuPercent',
					unit: '%',
					target: {text: '< 1 %', of: only('library'), atMost: 1},
				},
			],
		},
		{
			name: 'requests',
			work: 'requests',
			options: {forMs: sizes.requestMs},
			contenders: ['daemon'],
			lines: [
				{title: 'requests a second, list of 20, 32 connections', figure: 'perSecond', unit: '/s'},
				{title: 'of a bare http server that answers the same bytes', figure: 'barePerSecond', unit: '/s'},
				{
					title: 'the first to the second',
					figure: 'ratio',
					unit: '×',
					target: {text: '≥ 0.5', of: only('daemon'), atLeast: 0.5},
				},
			],
		},
	];
}

function start(sizes: Sizes, heapMb: number): Scenario {
	const blockedAtMost = heapMb < 1000 ? 0.4 : 0.03;
	const heap = `${heapMb} MB of heap`;
	return {
		name: `start-${heapMb}`,
		work: 'start',
		options: {count: sizes.starts, heapMb},
		contenders: ['library', 'http', 'spawn', 'execa'],
		nodeFlags: ['--max-old-space-size=4096'],
		lines: [
			{
				title: `start, event loop blocked by the call, ${heap}`,
				figure: 'blockedMs',
				of: ['library', 'spawn', 'execa'],
				unit: 'ms',
				target: {text: `≤ ${blockedAtMost} × spawn`, of: ratio('library', 'spawn'), atMost: blockedAtMost},
			},
			{
				title: `start until it runs and is stored, ${heap}`,
				figure: 'runningMs',
				of: ['library', 'spawn', 'execa'],
				unit: 'ms',
				target: {text: '≤ 3 × spawn', of: ratio('library', 'spawn'), atMost: 3},
			},
			{
				title: `start over HTTP, one client, ${heap} in the client`,
				figure: 'runningMs',
				of: ['http', 'library'],
				unit: 'ms',
				target: {text: '≤ 1.5 ms above in-process', of: difference('http', 'library'), atMost: 1.5},
			},
		],
	};
}
