/** How much is measured. */
export interface Sizes {
	/** Each contender takes its turn in each. */
	readonly rounds: number;
	/** A turn that takes longer is ended, in milliseconds. */
	readonly turnMs: number;
	/** Starts, one after the other. */
	readonly starts: number;
	/** Commands run with 8 in flight. */
	readonly commands: number;
	/** The same for peers that are slow, and their starts. */
	readonly peerCommands: number;
	/** Processes of the tree that is killed. */
	readonly tree: number;
	/** Megabytes of JavaScript that a host has in its heap. */
	readonly heapsMb: readonly number[];
	readonly running: number;
	readonly ended: number;
	/** Commands beside which memory is measured. */
	readonly beside: number;
	readonly outputBytes: number;
	/** What each of ten followers reads: no more than is kept. */
	readonly followedBytes: number;
	readonly requestMs: number;
	/** Until a program that has started is at rest. */
	readonly settleMs: number;
	/** Web servers, one after the other. */
	readonly servers: number;
	/** How many there are of what grows. */
	readonly growth: readonly number[];
	/** The same of what costs little: rows, and commands that end at once. */
	readonly cheapGrowth: readonly number[];
	readonly growthRounds: number;
	/** Starts beside commands that run. */
	readonly loadedStarts: number;
}

export const sizes = {
	/** Shows only that the benchmark works. */
	short: {
		rounds: 1,
		turnMs: 30_000,
		starts: 5,
		commands: 16,
		peerCommands: 4,
		tree: 3,
		heapsMb: [60],
		running: 5,
		ended: 500,
		beside: 5,
		outputBytes: 1e6,
		followedBytes: 1e6,
		requestMs: 100,
		settleMs: 100,
		servers: 1,
		growth: [2, 4],
		cheapGrowth: [4, 8],
		growthRounds: 1,
		loadedStarts: 5,
	},
	usual: {
		rounds: 3,
		turnMs: 4 * 60_000,
		starts: 100,
		commands: 1000,
		peerCommands: 16,
		tree: 300,
		heapsMb: [60, 1000],
		running: 1000,
		ended: 100_000,
		beside: 100,
		outputBytes: 1e9,
		followedBytes: 6e7,
		requestMs: 3000,
		settleMs: 3000,
		servers: 10,
		growth: [10, 100, 1000],
		cheapGrowth: [10, 100, 1000, 10_000],
		growthRounds: 1,
		loadedStarts: 40,
	},
	long: {
		rounds: 5,
		turnMs: 15 * 60_000,
		starts: 500,
		commands: 20_000,
		peerCommands: 200,
		tree: 300,
		heapsMb: [60, 1000],
		running: 1000,
		ended: 100_000,
		beside: 1000,
		outputBytes: 1e9,
		followedBytes: 6e7,
		requestMs: 10_000,
		settleMs: 10_000,
		servers: 50,
		growth: [10, 100, 1000, 10_000],
		cheapGrowth: [10, 100, 1000, 10_000, 100_000],
		growthRounds: 3,
		loadedStarts: 200,
	},
} as const satisfies Record<string, Sizes>;
