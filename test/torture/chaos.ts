import {readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import {readProc} from '../helpers/processes.js';
import {count, type Ledger} from './client.js';
import type {TorturedDaemon} from './daemon.js';
import type {Random} from './random.js';

/** Does what the world does: kills, freezes, fills. One thing after the other. */
export class Chaos {
	/** Processes whose shims were killed: nobody can know how these ended. */
	readonly shimless = new Set<string>();
	/** When the disk was full: from and until, milliseconds since 1970. */
	readonly fullTimes: (readonly [number, number])[] = [];

	constructor(
		private readonly daemon: TorturedDaemon,
		private readonly stateDir: string,
		/** Whether the state directory has a small file system to itself. */
		private readonly canFill: boolean,
		private readonly random: Random,
		private readonly ledger: Ledger,
	) {}

	/** Settles some time after `signal`, with the daemon alive and nothing frozen or full. */
	async run(signal: AbortSignal): Promise<void> {
		while (!signal.aborted) {
			await pause(this.random.int(200, 1500), undefined, {signal}).catch(() => undefined);
			await this.random.pick(this.#deeds)();
		}
	}

	readonly #deeds = [
		() => this.#killDaemon(),
		() => this.#killDaemon(),
		() => this.#killDaemon(),
		() => this.#restartDaemon(),
		() => this.#freeze('daemon', this.daemon.pid),
		() => this.#freeze('keeper', this.#keeper()),
		() => this.#freeze('shim', this.#shim()?.pid ?? 0),
		() => this.#killKeeper(),
		() => this.#killShim(),
		() => this.#fillDisk(),
	];

	async #killDaemon(): Promise<void> {
		count(this.ledger, 'daemon killed');
		await this.daemon.end('SIGKILL');
		// Sometimes nobody is there for longer than a deadline and its grace period.
		await pause(this.random.chance(0.3) ? this.random.int(500, 4000) : 0);
		await this.daemon.start();
	}

	async #restartDaemon(): Promise<void> {
		count(this.ledger, 'daemon restarted');
		await this.daemon.end('SIGTERM');
		await this.daemon.start();
	}

	async #freeze(who: string, pid: number): Promise<void> {
		if (!signal(pid, 'SIGSTOP')) {
			return;
		}

		count(this.ledger, `${who} frozen`);
		await pause(this.random.int(50, 1200));
		signal(pid, 'SIGCONT');
	}

	async #killKeeper(): Promise<void> {
		if (signal(this.#keeper(), 'SIGKILL')) {
			count(this.ledger, 'keeper killed');
		}
	}

	async #killShim(): Promise<void> {
		const shim = this.#shim();
		if (shim !== null) {
			// Before the signal: it may be the last thing that this one hears of.
			this.shimless.add(shim.processId);
			signal(shim.pid, 'SIGKILL');
			count(this.ledger, 'shim killed');
		}
	}

	async #fillDisk(): Promise<void> {
		if (!this.canFill) {
			return;
		}

		count(this.ledger, 'disk filled');
		const ballast = join(this.stateDir, '..', 'ballast');
		const from = Date.now();
		try {
			// More than there is room for.
			writeFileSync(ballast, Buffer.alloc(1024 * 1024 * 1024));
		} catch {
			// ENOSPC: that is what we want.
		}

		await pause(this.random.int(100, 1000));
		rmSync(ballast, {force: true});
		this.fullTimes.push([from, Date.now()]);
	}

	#keeper(): number {
		try {
			const pid = Number(readFileSync(join(this.stateDir, 'keeper'), 'utf8').split(' ')[0]);
			return isOurs(pid, this.stateDir) ? pid : 0;
		} catch {
			return 0;
		}
	}

	#shim(): {pid: number; processId: string} | null {
		const shims = readdirSync(join(this.stateDir, 'runs')).flatMap(processId => {
			const pid = this.#claimant(processId);
			return pid > 0 && isOurs(pid, this.stateDir) ? [{pid, processId}] : [];
		});
		return shims.length === 0 ? null : this.random.pick(shims);
	}

	#claimant(processId: string): number {
		try {
			return Number(readFileSync(join(this.stateDir, 'runs', processId, 'claim'), 'utf8').split(' ')[0]) || 0;
		} catch {
			// Nobody has taken it, or it has been removed.
			return 0;
		}
	}
}

/** A number may be a stranger's by now: only the keeper and its shims have our directory on their command line. */
function isOurs(pid: number, stateDir: string): boolean {
	return readProc(pid, 'cmdline').includes(`keeper.sh\0${stateDir}`);
}

function signal(pid: number, name: NodeJS.Signals): boolean {
	try {
		return pid > 0 && process.kill(pid, name);
	} catch {
		// ESRCH: it was faster.
		return false;
	}
}
