import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {eventually} from '../helpers/eventually.js';
import {Auditor} from './auditor.js';
import {endCarriers} from './carriers.js';
import {Chaos} from './chaos.js';
import {Checker} from './checker.js';
import {Client} from './client.js';
import {TorturedDaemon} from './daemon.js';
import {Follower} from './follower.js';
import {Ledger} from './ledger.js';
import {OutputReader} from './output-reader.js';
import {Random} from './random.js';

export interface TortureOptions {
	readonly seconds: number;
	/** The same seed plans the same commands and the same faults; when these meet, the machine decides. */
	readonly seed: string;
	/** Empty, and nobody else's. */
	readonly directory: string;
	/** Where the state directory is to be; it may be a small file system of its own. */
	readonly stateParent: string;
	readonly canFill: boolean;
	readonly clients: number;
}

export interface TortureReport {
	readonly counts: ReadonlyMap<string, number>;
	readonly commands: number;
	readonly findings: readonly string[];
}

const settleMs = 120_000;
/** Low enough that commands wait in the queue now and then. */
const maxRunning = 16;

/** Clients and chaos for the given time; then peace, and a look whether every promise was kept. */
export async function torture(options: TortureOptions): Promise<TortureReport> {
	const {seed, directory, stateParent} = options;
	const stateDir = join(stateParent, 'state');
	const marks = join(directory, 'marks');
	mkdirSync(marks);
	const ledger = new Ledger();
	const containment = new Random(`${seed}/containment`).pick(['auto', 'session'] as const);
	ledger.count(`containment ${containment}`);
	const daemon = await TorturedDaemon.create(stateDir, {
		maxRunning,
		// What has ended must be there at the end, to be looked at.
		maxEnded: 1_000_000,
		containment,
		env: {TORTURED: directory},
		onHang: what => ledger.find(what, 'was not answered'),
	});
	const mark = `TORTURED=${directory}`;
	const chaos = new Chaos(daemon, stateDir, mark, options.canFill, new Random(`${seed}/chaos`), ledger);
	const follower = new Follower(daemon, ledger);
	const reader = new OutputReader(daemon, ledger);
	const checker = new Checker(daemon, stateDir, marks, mark, ledger, chaos, follower, reader);
	const leaving = new AbortController();
	const following = follower.run(leaving.signal).catch(ledger.failed('the follower'));
	const clients = Array.from({length: options.clients}, (_, index) => {
		const name = `client${index}`;
		return new Client(name, daemon, marks, new Random(`${seed}/${name}`), ledger, reader);
	});
	const raging = AbortSignal.timeout(options.seconds * 1000);
	await Promise.all([
		...clients.map(client => client.run(raging, leaving.signal).catch(ledger.failed('a client'))),
		chaos.run(raging).catch(ledger.failed('the chaos')),
		new Auditor(daemon, mark, ledger).run(raging).catch(ledger.failed('the auditor')),
	]);
	await settle(daemon, ledger, checker, follower, reader).catch(ledger.failed('what comes to rest'));
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
	daemon: TorturedDaemon,
	ledger: Ledger,
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
async function endLeftovers(daemon: TorturedDaemon, checker: Checker): Promise<void> {
	for (const {process_id} of await checker.listAll()) {
		await daemon.ask('DELETE', '/execute/kill', {process_id, grace_period: 0});
	}
}
