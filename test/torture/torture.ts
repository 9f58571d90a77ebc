import {eventually} from '../helpers/eventually.js';
import {Auditor} from './auditor.js';
import {endCarriers} from './carriers.js';
import {Chaos} from './chaos.js';
import {Checker} from './checker.js';
import {Client} from './client.js';
import {Follower} from './follower.js';
import {OutputReader} from './output-reader.js';
import type {Places} from './places.js';
import {Random} from './random.js';
import {openScene, type Scene} from './scene.js';

export interface TortureOptions extends Places {
	readonly seconds: number;
	/** The same seed plans the same commands and the same faults; when these meet, the machine decides. */
	readonly seed: string;
	readonly clients: number;
}

export interface TortureReport {
	readonly counts: ReadonlyMap<string, number>;
	readonly commands: number;
	readonly findings: readonly string[];
}

const settleMs = 120_000;

/** Clients and chaos for the given time; then peace, and a look whether every promise was kept. */
export async function torture(options: TortureOptions): Promise<TortureReport> {
	const {seed, seconds} = options;
	const scene = await openScene(options, seed);
	const {daemon, ledger, mark} = scene;
	const chaos = new Chaos(scene, options.canFill, new Random(`${seed}/chaos`));
	const follower = new Follower(scene);
	const reader = new OutputReader(scene);
	const checker = new Checker(scene, chaos, follower, reader);
	const names = Array.from({length: options.clients}, (_, index) => `client${index}`);
	const clients = names.map(name => new Client(name, scene, new Random(`${seed}/${name}`), reader));

	const leaving = new AbortController();
	const following = follower.run(leaving.signal).catch(ledger.failed('the follower'));
	const raging = AbortSignal.timeout(seconds * 1000);
	await Promise.all([
		...clients.map(client => client.run(raging, leaving.signal).catch(ledger.failed('a client'))),
		chaos.run(raging).catch(ledger.failed('the chaos')),
		new Auditor(scene).run(raging).catch(ledger.failed('the auditor')),
	]);
	await settle(scene, checker, follower, reader).catch(ledger.failed('what comes to rest'));
	await checker.check().catch(ledger.failed('the checker'));
	leaving.abort();
	await following;
	await endCarriers(mark, daemon.pid);
	await daemon.close().catch(ledger.failed('the daemon'));
	checker.checkCgroups();
	return {counts: ledger.counts, commands: ledger.started.size, findings: ledger.findings};
}

/** Ends what goes on for ever, and waits until all has ended and every end was told. */
async function settle(
	{daemon, ledger}: Scene,
	checker: Checker,
	follower: Follower,
	reader: OutputReader,
): Promise<void> {
	const listOpen = async () => [
		...(await checker.listAll('&status=running')),
		...(await checker.listAll('&status=queued')),
	];
	for (const {process_id, name} of await listOpen()) {
		if (ledger.asked.get(name)?.body.timeout === 0) {
			ledger.killed.add(name);
			await daemon.ask('DELETE', '/execute/kill', {process_id, grace_period: 0});
		}
	}

	const isQuiet = async () =>
		(await listOpen()).length === 0 &&
		reader.open === 0 &&
		[...ledger.started.values()].every(({processId}) => follower.hasEnded(processId));
	await eventually(isQuiet, Boolean, settleMs).catch(ledger.failed('what is still open'));
	await endLeftovers(daemon, checker);
}

/** What escaped and may stay until its timeout: a kill of the ended process ends it. */
async function endLeftovers(daemon: Scene['daemon'], checker: Checker): Promise<void> {
	for (const {process_id} of await checker.listAll()) {
		await daemon.ask('DELETE', '/execute/kill', {process_id, grace_period: 0});
	}
}
