import {type ChildProcess, spawn} from 'node:child_process';
import {join} from 'node:path';
import type {Logger} from '../ports.js';
import type {ProcessId, ProcessIdentity} from '../process.js';
import {readStateFile} from '../state-file.js';

const restartDelayMs = 200;

export interface KeeperOptions {
	readonly stateDir: string;
	readonly bash: string;
	/** Path of keeper.sh. */
	readonly script: string;
	readonly logger: Logger;
	/** Whether an id that a dead keeper was given still waits for a shim. */
	readonly isUnclaimed: (processId: ProcessId) => boolean;
}

/** Holds one keeper, and brings up another when it dies. */
export class Keeper {
	/** Ids handed over whose shims were not heard of yet. */
	readonly #handed = new Set<ProcessId>();
	#child: ChildProcess | null = null;
	#restart: NodeJS.Timeout | null = null;
	#isClosed = false;

	constructor(private readonly options: KeeperOptions) {}

	open(): void {
		const {bash, script, stateDir, logger, isUnclaimed} = this.options;
		const child = spawn(bash, ['--noprofile', '--norc', script, stateDir], {
			// A session of its own: Ctrl-C in the agent's terminal is not for the commands.
			detached: true,
			cwd: '/',
			// Nothing of the agent's environment may change how the keeper works.
			env: cookieOfOurs(),
			stdio: ['pipe', 'ignore', 'ignore'],
		});
		this.#child = child;
		child.unref();
		// EPIPE: it is dead, and its exit says so.
		child.stdin?.on('error', error => logger.debug({error}, 'The keeper no longer listens'));
		child.once('error', error => this.#replace(child, {error}));
		child.once('exit', (exitCode, signal) => this.#replace(child, {exitCode, signal}));
		// What the one before had not read, or had read and not yet forked for, is lost with it.
		for (const processId of this.#handed) {
			if (isUnclaimed(processId)) {
				child.stdin?.write(`${processId}\n`);
			}
		}
	}

	/** Hands over an id: one line on its standard input. */
	launch(processId: ProcessId): void {
		this.#handed.add(processId);
		if (this.#child === null) {
			this.open();
		} else {
			this.#child.stdin?.write(`${processId}\n`);
		}
	}

	/** Its shim was heard of: it need not be handed over again. */
	forget(processId: ProcessId): void {
		this.#handed.delete(processId);
	}

	/** Ends its standard input: from then on it is the dead man's switch. */
	close(): void {
		this.#isClosed = true;
		clearTimeout(this.#restart ?? undefined);
		this.#child?.stdin?.end();
		this.#child?.removeAllListeners('exit');
		this.#child = null;
	}

	#replace(child: ChildProcess, facts: object): void {
		if (this.#isClosed || this.#child !== child) {
			return;
		}

		this.options.logger.warn(facts, 'The keeper has ended; another one takes over');
		this.#child = null;
		// Not at once: where it cannot live, we would do nothing but start it.
		this.#restart = setTimeout(() => {
			if (this.#child === null) {
				this.open();
			}
		}, restartDelayMs);
	}
}

/** The keeper that wrote its name last into this state directory. */
export function readKeeperIdentity(stateDir: string): ProcessIdentity | null {
	try {
		const [pid, startTicks, bootId] = readStateFile(join(stateDir, 'keeper'), 'latin1').trim().split(' ');
		return {pid: Number(pid), startTicks: Number(startTicks), bootId: String(bootId)};
	} catch {
		// The first one of this directory.
		return null;
	}
}

/** Where the agent is itself one of nohupd's commands, our keeper belongs to that one's tree. */
function cookieOfOurs(): NodeJS.ProcessEnv {
	const cookie = process.env['NOHUPD_PROCESS_ID'];
	return cookie === undefined ? {} : {NOHUPD_PROCESS_ID: cookie};
}
