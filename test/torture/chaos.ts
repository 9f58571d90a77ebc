import {closeSync, openSync, readdirSync, readFileSync, rmSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import {isSame} from '../../lib/os/proc.js';
import {readProc} from '../helpers/processes.js';
import {findCarriers} from './carriers.js';
import type {Random} from './random.js';
import type {Scene} from './scene.js';

/** Does what the world does: kills, freezes, fills. One thing after the other. */
export class Chaos {
	/** Processes whose shims were killed: nobody can know how these ended. */
	readonly shimless = new Set<string>();
	/** What was done, and when. */
	readonly deeds: {readonly at: string; readonly what: string}[] = [];
	/** When the disk was full: from and until, milliseconds since 1970. */
	readonly fullTimes: (readonly [number, number])[] = [];

	constructor(
		private readonly scene: Scene,
		/** Whether the state directory has a small file system to itself. */
		private readonly canFill: boolean,
		private readonly random: Random,
	) {}

	/** Settles some time after `signal`, with the daemon alive and nothing frozen or full. */
	async run(signal: AbortSignal): Promise<void> {
		while (!signal.aborted) {
			await pause(this.random.int(200, 1500), undefined, {signal}).catch(() => undefined);
			await this.random.pick(this.#deeds)();
		}
	}

	/** What can be done whether the daemon lives or not. */
	readonly #smallDeeds = [
		() => this.#freeze('keeper', this.#keeper()),
		() => this.#freeze('shim', this.#shim()?.pid ?? 0),
		() => this.#freeze('command', this.#command()),
		() => this.#killKeeper(),
		() => this.#killShim(),
		() => this.#fillDisk(),
	];

	/** What happens while nobody is there. */
	readonly #absences = [
		() => pause(0),
		() => pause(0),
		// Longer than a deadline and its grace period.
		() => pause(this.random.int(500, 4000)),
		() => this.random.pick(this.#smallDeeds)(),
	];

	readonly #deeds = [
		() => this.#killDaemon(),
		() => this.#killDaemon(),
		() => this.#killDaemon(),
		() => this.#killDaemon(),
		() => this.#restartDaemon(),
		() => this.#freeze('daemon', this.scene.daemon.pid),
		...this.#smallDeeds,
	];

	async #killDaemon(): Promise<void> {
		this.#note('daemon killed');
		await this.scene.daemon.end('SIGKILL');
		await this.random.pick(this.#absences)();
		await this.scene.daemon.start();
		this.#note('daemon back');
	}

	async #restartDaemon(): Promise<void> {
		this.#note('daemon restarted');
		await this.scene.daemon.end('SIGTERM');
		await this.scene.daemon.start();
	}

	async #freeze(who: string, pid: number): Promise<void> {
		if (!signal(pid, 'SIGSTOP')) {
			return;
		}

		this.#note(`${who} frozen`);
		await pause(this.random.int(50, 1200));
		signal(pid, 'SIGCONT');
	}

	async #killKeeper(): Promise<void> {
		if (signal(this.#keeper(), 'SIGKILL')) {
			this.#note('keeper killed');
		}
	}

	async #killShim(): Promise<void> {
		const shim = this.#shim();
		if (shim !== null) {
			// Before the signal: it may be the last thing that this one hears of.
			this.shimless.add(shim.processId);
			signal(shim.pid, 'SIGKILL');
			this.#note('shim killed');
		}
	}

	async #fillDisk(): Promise<void> {
		if (!this.canFill) {
			return;
		}

		this.#note('disk filled');
		const ballast = join(this.scene.stateDir, '..', 'ballast');
		const from = Date.now();
		fill(ballast);
		await pause(this.random.int(100, 1000));
		rmSync(ballast, {force: true});
		this.#note('disk free again');
		this.fullTimes.push([from, Date.now()]);
	}

	#note(what: string): void {
		this.deeds.push({at: new Date().toISOString(), what});
		this.scene.ledger.count(what);
	}

	#keeper(): number {
		try {
			const pid = Number(readFileSync(join(this.scene.stateDir, 'keeper'), 'utf8').split(' ')[0]);
			return isOurs(pid, this.scene.stateDir) ? pid : 0;
		} catch {
			return 0;
		}
	}

	#shim(): {pid: number; processId: string} | null {
		const shims = readdirSync(join(this.scene.stateDir, 'runs')).flatMap(processId => {
			const pid = this.#claimant(processId);
			return pid > 0 && isOurs(pid, this.scene.stateDir) ? [{pid, processId}] : [];
		});
		return shims.length === 0 ? null : this.random.pick(shims);
	}

	#command(): number {
		const carriers = [...findCarriers(this.scene.mark, this.scene.daemon.pid).values()].flat();
		return carriers.length === 0 ? 0 : this.random.pick(carriers);
	}

	#claimant(processId: string): number {
		try {
			const claim = readFileSync(join(this.scene.stateDir, 'runs', processId, 'claim'), 'utf8');
			const [pid = 0, startTicks = 0] = claim.split(' ').map(Number);
			// Numbers come again within half an hour: it may be the shim of another process by now.
			return isSame({pid, startTicks}) ? pid : 0;
		} catch {
			// Nobody has taken it, or it has been removed.
			return 0;
		}
	}
}

/** To the last byte. */
function fill(path: string): void {
	const file = openSync(path, 'w');
	for (const bytes of [1024 * 1024, 4096]) {
		try {
			for (const block = Buffer.alloc(bytes); ; ) {
				writeSync(file, block);
			}
		} catch {
			// ENOSPC: that is what we want.
		}
	}

	closeSync(file);
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
