import {setTimeout as pause} from 'node:timers/promises';
import {isAlive} from '../helpers/processes.js';
import {findCarriers} from './carriers.js';
import {NoAnswerError} from './daemon.js';
import type {Scene} from './scene.js';
import {gracePeriodSeconds} from './shapes.js';
import type {Shown} from './verdict.js';

/** What the API says may be so much behind: the daemon may be dead for a while, and has to find out. */
const patienceMs = 15_000;

/** Compares, again and again while all goes on, what the API says with what is alive. */
export class Auditor {
	/** When what is not as it should be was first seen. */
	#suspicions = new Map<string, number>();
	readonly #found = new Set<string>();

	constructor(private readonly scene: Scene) {}

	async run(signal: AbortSignal): Promise<void> {
		while (!signal.aborted) {
			await pause(1000, undefined, {signal}).catch(() => undefined);
			try {
				await this.#look();
			} catch (error) {
				if (!(error instanceof NoAnswerError)) {
					throw error;
				}
			}
		}
	}

	async #look(): Promise<void> {
		const {status, json} = await this.scene.daemon.ask('GET', '/execute/processes?tail_bytes=0&status=running');
		if (status !== 200) {
			return;
		}

		const carriers = findCarriers(this.scene.mark, this.scene.daemon.pid);
		const running = new Map((json['processes'] as Shown[]).map(process => [process.process_id, process]));
		const dead = [...running.values()].filter(
			({process_id: id, pid}) => !carriers.has(id) && pid !== null && !isAlive(pid),
		);
		const suspicions = dead.map(({process_id}) => `${process_id} is listed as running and not alive`);
		for (const processId of carriers.keys()) {
			const suspicion = await this.#suspicionOf(processId, running.get(processId));
			suspicions.push(...(suspicion === null ? [] : [`${processId} is alive, and ${suspicion}`]));
		}

		this.#ponder(suspicions);
		this.scene.ledger.count('audits');
	}

	async #suspicionOf(processId: string, running: Shown | undefined): Promise<string | null> {
		const process = running ?? (await this.#ask(processId));
		if (process === null) {
			return 'is not listed';
		}

		const {timeout, leftover} = this.scene.ledger.asked.get(process.name)?.body ?? {timeout: 0};
		const seconds = (Date.now() - Date.parse(process.started_at ?? '')) / 1000;
		if (timeout > 0 && seconds > timeout + gracePeriodSeconds) {
			return 'overdue';
		}

		if (running !== undefined) {
			return null;
		}

		return process.leftover === 0 || leftover === 'kill' ? `has ended, with ${process.leftover} left` : null;
	}

	async #ask(processId: string): Promise<Shown | null> {
		const {status, json} = await this.scene.daemon.ask('GET', `/execute/processes/${processId}?tail_bytes=0`);
		if (status !== 200 && status !== 404) {
			throw new NoAnswerError(`${status}`);
		}

		return status === 200 ? (json as unknown as Shown) : null;
	}

	/** What stays so is a finding. */
	#ponder(suspicions: readonly string[]): void {
		const now = performance.now();
		this.#suspicions = new Map(suspicions.map(what => [what, this.#suspicions.get(what) ?? now]));
		for (const [what, since] of this.#suspicions) {
			if (now - since > patienceMs && !this.#found.has(what)) {
				this.#found.add(what);
				this.scene.ledger.find('audit', what);
			}
		}
	}
}
