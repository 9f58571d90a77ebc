import type {Random} from './random.js';

/** What one command is to do, and what can be said of it afterwards from outside. */
export interface Plan {
	/** The body of the request that starts it. */
	readonly body: {
		readonly name: string;
		readonly command: string;
		readonly timeout: number;
		readonly leftover?: 'kill';
	};
	/** Its own exit code, where nobody ends it; `null`: it never ends by itself. */
	readonly exitCode: number | null;
	/** Bytes of standard output by then. */
	readonly stdoutBytes: number;
}

export const gracePeriodSeconds = 1;
const long = 'sleep 1000';

type Script = Pick<Plan, 'exitCode'> & {
	readonly script: string;
	readonly stdoutBytes?: number;
	readonly timeout?: number;
	readonly leftover?: 'kill';
};

const shapes = {
	quick: random => ({...exit(random), script: ':'}),
	failing: () => ({script: 'no-such-program-anywhere; (exit 127)', exitCode: 127}),
	slow: random => ({...exit(random), script: `sleep ${random.int(1, 30) / 10}`}),
	noisy: random => {
		const lines = random.int(1, 20_000);
		return {...exit(random), script: `seq ${lines}`, stdoutBytes: digitsUpTo(lines) + lines};
	},
	forking: random => ({...exit(random), script: 'for i in 1 2 3 4; do sleep 0.3 & done; wait'}),
	escaping: random => ({...exit(random), script: `setsid ${long} & sleep 0.1`}),
	'leaving nothing': random => ({...exit(random), script: `setsid ${long} & sleep 0.1`, leftover: 'kill'}),
	overdue: () => ({script: long, exitCode: null, timeout: 1}),
	stubborn: () => ({script: `trap '' TERM; ${long}; ${long}`, exitCode: null, timeout: 1}),
	endless: () => ({script: long, exitCode: null, timeout: 0}),
} as const satisfies Readonly<Record<string, (random: Random) => Script>>;

/** The command of a plan notes in its own file, which nobody else knows of, when it begins and how it ends. */
export function makePlan(random: Random, name: string, marks: string): Plan {
	const {script, exitCode, stdoutBytes = 0, timeout = 600, leftover} = pickShape(random)(random);
	const mark = `'${marks}/${name}'`;
	return {
		body: {
			name,
			command: [
				`echo "began $NOHUPD_PROCESS_ID" >>${mark}`,
				script,
				`echo "ended ${exitCode}" >>${mark}`,
				`exit ${exitCode ?? 0}`,
			].join('\n'),
			timeout,
			...(leftover === undefined ? {} : {leftover}),
		},
		exitCode,
		stdoutBytes,
	};
}

/** What never ends by itself fills every place soon: most are to be short. */
function pickShape(random: Random): (random: Random) => Script {
	return random.chance(0.4) ? shapes.quick : random.pick(Object.values(shapes));
}

function exit(random: Random): Pick<Plan, 'exitCode'> {
	return {exitCode: random.int(0, 100)};
}

/** How many digits the numbers from 1 to `last` have together. */
function digitsUpTo(last: number): number {
	let digits = 0;
	for (let first = 1, width = 1; first <= last; first *= 10, width++) {
		digits += (Math.min(last, first * 10 - 1) - first + 1) * width;
	}

	return digits;
}
