/** How much is measured. */
export interface Sizes {
	/** Each contender takes its turn in each. */
	readonly rounds: number;
	/** Starts, one after the other. */
	readonly starts: number;
	/** Commands run with 8 in flight. */
	readonly commands: number;
	/** The same for peers that are slow. */
	readonly peerCommands: number;
	/** Processes of the tree that is killed. */
	readonly tree: 300 | 3;
	/** Megabytes of JavaScript that a host has in its heap. */
	readonly heapsMb: readonly number[];
	readonly running: number;
	readonly ended: number;
	/** Commands beside which memory is measured. */
	readonly beside: number;
	readonly outputBytes: number;
	readonly requestMs: number;
	/** Until a program that has started is at rest. */
	readonly settleMs: number;
}

export const sizes = {
	/** Shows only that the benchmark works. */
	short: {
		rounds: 1,
		starts: 5,
		commands: 16,
		peerCommands: 4,
		tree: 3,
		heapsMb: [60],
		running: 5,
		ended: 500,
		beside: 5,
		outputBytes: 1e6,
		requestMs: 100,
		settleMs: 100,
	},
	usual: {
		rounds: 3,
		starts: 100,
		commands: 1000,
		peerCommands: 16,
		tree: 300,
		heapsMb: [60, 1000],
		running: 1000,
		ended: 100_000,
		beside: 100,
		outputBytes: 1e9,
		requestMs: 3000,
		settleMs: 3000,
	},
	long: {
		rounds: 5,
		starts: 500,
		commands: 20_000,
		peerCommands: 200,
		tree: 300,
		heapsMb: [60, 1000],
		running: 1000,
		ended: 100_000,
		beside: 1000,
		outputBytes: 1e9,
		requestMs: 10_000,
		settleMs: 10_000,
	},
} as const satisfies Record<string, Sizes>;
