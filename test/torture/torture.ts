import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {eventually} from '../helpers/eventually.js';
import {Chaos} from './chaos.js';
import {Checker} from './checker.js';
import {Client, type Ledger} from './client.js';
import {TorturedDaemon} from './daemon.js';
import {Follower} from './follower.js';
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
const maxRunning = 24;

/** Clients and chaos for the given time; then peace, and a look whether every promise was kept. */
export async function torture(options: TortureOptions): Promise<TortureReport> {
	const {seed, directory, stateParent} = options;
	const stateDir = join(stateParent, 'state');
	const marks = join(directory, 'marks');
	mkdirSync(marks);
	const ledger: Ledger = {started: new Map(), asked: new Set(), findings: [], counts: new Map()};
	const daemon = await TorturedDaemon.create(stateDir, maxRunning);
	const chaos = new Chaos(daemon, stateDir, options.canFill, new Random(`${seed}/chaos`), ledger);
	const follower = new Follower(daemon, ledger);
	const checker = new Checker(daemon, stateDir, marks, ledger, chaos, follower);
	const leaving = new AbortController();
	const following = follower.run(leaving.signal);
	try {
		await rage(options, daemon, marks, ledger, chaos);
		await settle(daemon, ledger, checker, follower);
		await checker.check();
	} finally {
		leaving.abort();
		await following;
		await daemon.close();
	}

	return {counts: ledger.counts, commands: ledger.started.size, findings: ledger.findings};
}

async function rage(
	{seconds, seed, clients}: TortureOptions,
	daemon: TorturedDaemon,
	marks: string,
	ledger: Ledger,
	chaos: Chaos,
): Promise<void> {
	const signal = AbortSignal.timeout(seconds * 1000);
	const names = Array.from({length: clients}, (_, index) => `client${index}`);
	await Promise.all([
		...names.map(name => new Client(name, daemon, marks, new Random(`${seed}/${name}`), ledger).run(signal)),
		chaos.run(signal),
	]);
}

/** Ends what goes on for ever, and waits until all has ended and every end was told. */
async function settle(daemon: TorturedDaemon, ledger: Ledger, checker: Checker, follower: Follower): Promise<void> {
	for (const started of ledger.started.values()) {
		const path = `/execute/processes/${started.processId}?tail_bytes=0`;
		const {json} = await daemon.ask('GET', path);
		const isOpen = json['status'] === 'running' || json['status'] === 'queued';
		const isEndless = isOpen && started.plan.body.timeout === 0;
		started.wasKilled ||= isEndless;
		if (isEndless || Number(json['leftover']) > 0) {
			await daemon.ask('DELETE', '/execute/kill', {process_id: started.processId, grace_period: 0});
		}
	}

	const isQuiet = async () => {
		const open = [...(await checker.listAll('&status=running')), ...(await checker.listAll('&status=queued'))];
		return open.length === 0 && [...ledger.started.values()].every(({processId}) => follower.hasEnded(processId));
	};
	await eventually(isQuiet, Boolean, settleMs).catch(error => ledger.findings.push(String(error)));
	await endLeftovers(daemon, checker);
}

/** What escaped and may stay until its timeout: a kill of the ended process ends it. */
async function endLeftovers(daemon: TorturedDaemon, checker: Checker): Promise<void> {
	for (const {process_id} of await checker.listAll()) {
		await daemon.ask('DELETE', '/execute/kill', {process_id, grace_period: 0});
	}
}
