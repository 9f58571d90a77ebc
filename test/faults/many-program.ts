/**
 * `node many-program.js STATE_DIR CONTAINMENT COUNT SEED`: starts so many processes of all shapes, kills some at random moments
 * and in random ways, ends what is left, closes, and then leaves by itself, since no timer, watcher or child holds it any
 * more. Writes one line of JSON before that.
 */
import {readdirSync} from 'node:fs';
import {createSupervisor, ProcessEndedError, type Supervisor} from '../../lib/index.js';
import {RandomNumbers} from '../helpers/random-numbers.js';

/** A shell line, and what it is started with beside it. */
interface Shape {
	readonly line: string;
	readonly leftover?: 'keep' | 'kill';
	readonly timeoutMs?: number;
}

const shapes: readonly Shape[] = [
	{line: 'true'},
	{line: 'exit 3'},
	{line: 'sleep 0.05; echo done'},
	{line: 'exec sleep 1000'},
	{line: 'sleep 1000 & sleep 1000 & wait'},
	{line: `(trap '' TERM; exec sleep 1000) & trap 'exit 0' TERM; wait`},
	{line: 'setsid sleep 1000 & exec sleep 1000'},
	{line: '(sleep 1000 &); exec sleep 1000'},
	{line: `(setsid bash -c 'sleep 1000 & exit' &); exec sleep 1000`},
	{line: 'nohup sleep 1000 >/dev/null 2>&1 & disown; exec sleep 1000'},
	{line: 'sleep 1000 & kill -STOP $!; kill -STOP $$'},
	{line: 'for i in {1..20}; do sleep 1000 & done; wait'},
	{line: 'sleep 1000 & setsid sleep 1000 & exit 1'},
	{line: 'setsid sleep 1000 & exit 0', leftover: 'kill'},
	{line: 'exec sleep 1000', timeoutMs: 100},
	{line: `trap '' TERM; while :; do sleep 0.2; done`, timeoutMs: 100},
];

/** At most so many are alive at a time. */
const atOnce = 24;

const [stateDir = '', containment, count, seed] = process.argv.slice(2);
await main(new RandomNumbers(Number(seed)), Number(count));

async function main(random: RandomNumbers, total: number): Promise<void> {
	const supervisor = await createSupervisor({
		stateDir,
		containment: containment === 'session' ? 'session' : 'auto',
		gracePeriodMs: 200,
	});
	const begin = performance.now();
	await oneLife(supervisor, random);
	const before = await countDescriptors();
	let left = total - 1;
	const lane = async () => {
		while (left-- > 0) {
			await oneLife(supervisor, random);
		}
	};
	await Promise.all(Array.from({length: atOnce}, lane));
	const seconds = (performance.now() - begin) / 1000;
	const {running, queued} = supervisor.state();
	const descriptors = (await countDescriptors()) - before;
	const ended = await countEnded(supervisor);
	await supervisor.close();
	const rssMb = Math.round(process.memoryUsage.rss() / 1024 / 1024);
	process.stdout.write(`${JSON.stringify({running, queued, ended, descriptors, rssMb, seconds})}\n`);
}

/** From the start until nothing is left of it. */
async function oneLife(supervisor: Supervisor, random: RandomNumbers): Promise<void> {
	const {line, leftover, timeoutMs = 0} = random.oneOf(shapes);
	const {processId} = await supervisor.start({command: line, leftover, timeoutMs});
	await new Promise(resolve => setTimeout(resolve, random.below(200)));
	const kill = () => supervisor.kill(processId, {gracePeriodMs: random.oneOf([0, 0, 50, 500])}).catch(onlyIfEnded);
	// Some are killed by several at once, who want it at different speeds.
	await Promise.all(Array.from({length: 1 + random.below(3)}, kill));
	await supervisor.wait(processId);
	// What ended by itself just before may have left something that is only counted now.
	await kill();
}

function onlyIfEnded(error: unknown): void {
	if (!(error instanceof ProcessEndedError)) {
		throw error;
	}
}

async function countEnded(supervisor: Supervisor): Promise<number> {
	let ended = 0;
	for (let cursor: string | null | undefined; cursor !== null; ) {
		const page = await supervisor.list({tailBytes: 0, cursor});
		ended += page.processes.filter(({status, leftover}) => status !== 'running' && leftover === 0).length;
		cursor = page.nextCursor;
	}

	return ended;
}

/** The fewest of some looks: spare directories are made by other threads, which open files for a moment. */
async function countDescriptors(): Promise<number> {
	const counts: number[] = [];
	for (let look = 0; look < 20; look++) {
		counts.push(readdirSync('/proc/self/fd').length);
		await new Promise(resolve => setTimeout(resolve, 10));
	}

	return Math.min(...counts);
}
