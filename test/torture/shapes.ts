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
	/** It writes the numbers from 1 to this one, a line each, to both streams. */
	readonly lines: number;
}

export const gracePeriodSeconds = 1;
const long = 'sleep 1000';

type Script = Pick<Plan, 'exitCode'> & {
	readonly script: string;
	readonly lines?: number;
	readonly timeout?: number;
	readonly leftover?: 'kill';
};

const shapes = {
	quick: random => ({...exit(random), script: ':'}),
	failing: () => ({script: 'no-such-program-anywhere; (exit 127)', exitCode: 127}),
	slow: random => ({...exit(random), script: `sleep ${random.int(1, 30) / 10}`}),
	noisy: random => writing(random, random.int(1, 20_000), lines => `seq ${lines}`),
	// So slowly that somebody who follows it sees a restart or two.
	dripping: random =>
		writing(random, 100 * random.int(10, 40), lines => {
			const hundred = 'seq $((i + 1)) $((i + 100))';
			return `for ((i = 0; i < ${lines}; i += 100)); do ${hundred} || break; sleep 0.1; done; ((i >= ${lines}))`;
		}),
	forking: random => ({...exit(random), script: 'for i in 1 2 3 4; do sleep 0.3 & done; wait'}),
	escaping: random => ({...exit(random), script: `setsid ${long} & sleep 0.1`}),
	// Neither group nor parent link is left, and SIGTERM does nothing.
	'escaping twice': random => ({...exit(random), script: `(setsid bash -c "trap '' TERM; ${long}; :" &); sleep 0.1`}),
	'leaving nothing': random => ({...exit(random), script: `setsid ${long} & sleep 0.1`, leftover: 'kill'}),
	'leaving something for a while': random => ({...exit(random), script: `setsid ${long} & sleep 0.1`, timeout: 2}),
	overdue: random => ({script: long, exitCode: null, timeout: random.int(1, 3)}),
	stubborn: () => ({script: `trap '' TERM; ${long}; ${long}`, exitCode: null, timeout: 1}),
	endless: () => ({script: long, exitCode: null, timeout: 0}),
} as const satisfies Readonly<Record<string, (random: Random) => Script>>;

/** The command of a plan writes down for itself what it does (truth.ts), in a file which nobody else knows of. */
export function makePlan(random: Random, name: string, marks: string): Plan {
	const {script, exitCode, lines = 0, timeout = 600, leftover} = pickShape(random)(random);
	const note = (what: string) => `echo "${what} $EPOCHREALTIME" >>'${marks}/${name}'`;
	return {
		body: {
			name,
			command: [
				note('began $NOHUPD_PROCESS_ID'),
				lines === 0 ? script : `${script} && seq ${lines} >&2 && ${note('written -')}`,
				note(`ended ${exitCode}`),
				`exit ${exitCode ?? 0}`,
			].join('\n'),
			timeout,
			...(leftover === undefined ? {} : {leftover}),
		},
		exitCode,
		lines,
	};
}

/** What it writes to each of its streams. */
export function linesUpTo(last: number): string {
	return Array.from({length: last}, (_, index) => `${index + 1}\n`).join('');
}

/** What never ends by itself fills every place soon: most are to be short. */
function pickShape(random: Random): (random: Random) => Script {
	return random.chance(0.4) ? shapes.quick : random.pick(Object.values(shapes));
}

function exit(random: Random): Pick<Plan, 'exitCode'> {
	return {exitCode: random.int(0, 100)};
}

function writing(random: Random, lines: number, script: (lines: number) => string): Script {
	return {...exit(random), lines, script: script(lines)};
}
