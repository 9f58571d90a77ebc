import test, {type ExecutionContext} from 'ava';
import type {AnyProcessEvent, Supervisor} from '../../lib/index.js';
import {TestDaemon} from '../helpers/daemon.js';
import {type ReceivedEvent, receiveEvents} from '../helpers/event-source.js';
import {eventually} from '../helpers/eventually.js';
import {RecordingLogger} from '../helpers/recording-logger.js';
import {makeStateDir, openSupervisor} from '../helpers/state-dir.js';

/** Follows `GET /events` of whichever daemon there is, and comes back with its last number when it is cut off. */
class Subscriber {
	readonly seen: ReceivedEvent[] = [];
	#isOver = false;
	#daemon: TestDaemon | null = null;

	constructor(private readonly t: ExecutionContext) {}

	/** The daemon that is asked from now on. */
	turnTo(daemon: TestDaemon): void {
		const isFirst = this.#daemon === null;
		this.#daemon = daemon;
		if (isFirst) {
			void this.#run();
		}
	}

	leave(): void {
		this.#isOver = true;
	}

	/** For instance `12 ended`. */
	get told(): string[] {
		return this.seen.map(({id, event}) => `${id} ${event}`);
	}

	async #run(): Promise<void> {
		// It may look for a daemon that is not there: that is what it must bear.
		await eventually(
			async () => {
				await this.#receive().catch(() => undefined);
				return this.#isOver;
			},
			Boolean,
			100_000,
		);
	}

	async #receive(): Promise<void> {
		const {url = '', token = ''} = this.#daemon ?? {};
		const last = this.seen.at(-1)?.id ?? '0';
		for await (const event of receiveEvents(this.t, `${url}/events`, token, {'last-event-id': last})) {
			this.seen.push(event);
		}
	}
}

/** Runs commands to their ends, several at a time. */
async function run(daemon: TestDaemon, count: number): Promise<void> {
	const started = await Promise.all(Array.from({length: count}, () => daemon.start({command: 'true'})));
	await Promise.all(started.map(({process_id: id}) => daemon.ask('GET', `/execute/processes/${id}/wait`)));
}

async function all(daemon: TestDaemon, t: ExecutionContext, count: number): Promise<string[]> {
	const told: string[] = [];
	for await (const {id, event} of receiveEvents(t, `${daemon.url}/events?after=0`, daemon.token)) {
		if (told.push(`${id} ${event}`) === count) {
			return told;
		}
	}

	return told;
}

test('34: a subscriber sees each event once and in order, over a restart, a killed daemon and what ran meanwhile', async t => {
	const stateDir = makeStateDir(t);
	const subscriber = new Subscriber(t);
	let daemon = await TestDaemon.open(t, stateDir);
	subscriber.turnTo(daemon);

	for (const signal of ['SIGTERM', 'SIGKILL', 'SIGKILL'] as const) {
		await run(daemon, 5);
		// These end while no daemon is there.
		await Promise.all([1, 2, 3].map(() => daemon.start({command: 'sleep 0.1'})));
		await daemon.end(signal);
		daemon = await TestDaemon.open(t, stateDir);
		subscriber.turnTo(daemon);
	}

	await run(daemon, 5);
	const count = (3 * 8 + 5) * 3;
	await eventually(() => subscriber.seen.length >= count);
	subscriber.leave();

	t.deepEqual(
		subscriber.seen.map(({id}) => Number(id)),
		Array.from({length: count}, (_, index) => index + 1),
	);
	t.deepEqual(subscriber.told, await all(daemon, t, count));
	for (const {process_id: id} of await daemon.list()) {
		const ofProcess = subscriber.seen.filter(({data}) => (data['process'] as {process_id: string}).process_id === id);
		t.deepEqual(
			ofProcess.map(({event}) => event),
			['queued', 'started', 'ended'],
		);
	}
});

/** Takes events until there are so many. */
async function take(supervisor: Supervisor, after: number, count: number): Promise<AnyProcessEvent[]> {
	const events: AnyProcessEvent[] = [];
	for await (const item of supervisor.events({after})) {
		if (item.type !== 'gap' && events.push(item) === count) {
			return events;
		}
	}

	return events;
}

test('34: in the library too: who comes back with its last number misses nothing, before and after a restart', async t => {
	const stateDir = makeStateDir(t);
	const first = await openSupervisor(t, {stateDir});
	const announced: number[] = [];
	for (const type of ['queued', 'started', 'ended'] as const) {
		first.on(type, ({sequence}) => announced.push(sequence));
	}

	for (const command of ['true', 'exit 3']) {
		await first.wait((await first.start({command})).processId);
	}

	const [one] = await take(first, 0, 1);
	const some = await take(first, one?.sequence ?? 0, 2);
	await first.close();
	const second = await openSupervisor(t, {stateDir});
	await second.wait((await second.start({command: 'exit 4'})).processId);
	const rest = await take(second, some.at(-1)?.sequence ?? 0, 6);

	const seen = [...(one === undefined ? [] : [one]), ...some, ...rest];
	t.deepEqual(
		seen.map(({sequence}) => sequence),
		[1, 2, 3, 4, 5, 6, 7, 8, 9],
	);
	t.deepEqual(announced, [1, 2, 3, 4, 5, 6]);
	t.deepEqual(
		seen.filter(({type}) => type === 'ended').map(({process}) => process.exitCode),
		[0, 3, 4],
	);
});

test('34: a listener that throws changes nothing', async t => {
	const logger = new RecordingLogger();
	const supervisor = await openSupervisor(t, {logger});
	for (const type of ['queued', 'started', 'ended', 'forgotten'] as const) {
		supervisor.on(type, () => {
			throw new Error(`mine: ${type}`);
		});
	}

	const {processId} = await supervisor.start({command: 'exit 3'});
	const ended = await supervisor.wait(processId);
	await supervisor.forget(processId);

	t.like(ended, {status: 'failed', exitCode: 3});
	const [forgotten] = await take(supervisor, 3, 1);
	t.like(forgotten, {type: 'forgotten', sequence: 4, process: {processId, exitCode: 3}});
	t.is(logger.entries.filter(({message}) => message === 'An event listener failed').length, 4);
});
