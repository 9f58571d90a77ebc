import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {TorturedDaemon} from './daemon.js';
import {Ledger} from './ledger.js';
import type {Places} from './places.js';
import {Random} from './random.js';

/** What all who take part know. */
export interface Scene {
	readonly daemon: TorturedDaemon;
	readonly ledger: Ledger;
	readonly stateDir: string;
	/** The directory where commands write down what they do; the daemon does not know of it. */
	readonly marks: string;
	/** In the environment of all commands, and of nobody else. */
	readonly mark: string;
}

/** Low enough that commands wait in the queue now and then. */
const maxRunning = 16;

/** Half of the seeds contain commands by cgroup, where that is possible. */
export async function openScene({directory, stateParent}: Places, seed: string): Promise<Scene> {
	const ledger = new Ledger();
	const stateDir = join(stateParent, 'state');
	const marks = join(directory, 'marks');
	mkdirSync(marks);
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
	return {daemon, ledger, stateDir, marks, mark: `TORTURED=${directory}`};
}
