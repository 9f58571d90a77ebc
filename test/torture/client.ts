import {setTimeout as pause} from 'node:timers/promises';
import {findProcesses} from '../helpers/processes.js';
import {type Answer, NoAnswerError} from './daemon.js';
import type {OutputReader} from './output-reader.js';
import type {Random} from './random.js';
import type {Scene} from './scene.js';
import {makePlan, type Plan} from './shapes.js';

/** Starts commands, one after the other, follows some, and ends some. */
export class Client {
	#number = 0;

	constructor(
		private readonly name: string,
		private readonly scene: Scene,
		private readonly random: Random,
		private readonly reader: OutputReader,
	) {}

	/** Settles some time after `signal`, when what was begun is answered. */
	async run(signal: AbortSignal, leaving: AbortSignal): Promise<void> {
		while (!signal.aborted) {
			const plan = makePlan(this.random, `${this.name}-${this.#number++}`, this.scene.marks);
			const isFollowed = plan.lines > 0 && this.random.chance(0.5);
			await this.#start(plan, signal);
			const started = this.scene.ledger.started.get(plan.body.name);
			if (isFollowed && started !== undefined) {
				this.reader.follow(started.processId, leaving);
			}

			if (this.random.chance(0.4)) {
				await this.#killOne();
			}

			await pause(this.random.int(0, 60));
		}
	}

	/** Asks again with the same key until there is an answer: so it must run once. */
	async #start(plan: Plan, signal: AbortSignal): Promise<void> {
		const {name} = plan.body;
		this.scene.ledger.asked.set(name, plan);
		const ask = () => this.scene.daemon.ask('POST', '/commands/background', plan.body, {'idempotency-key': name});
		for (;;) {
			const answers = await Promise.allSettled(this.random.chance(0.1) ? [ask(), ask()] : [ask()]);
			const isKnown = answers.map(answer => this.#note(plan, answer)).some(Boolean);
			if (isKnown || signal.aborted) {
				return;
			}

			// Where every place is taken by what never ends, somebody has to make room.
			await (this.random.chance(0.2) ? this.#killOne() : pause(50));
		}
	}

	/** Whether it was acknowledged. */
	#note(plan: Plan, answer: PromiseSettledResult<Answer>): boolean {
		if (answer.status === 'rejected') {
			if (!(answer.reason instanceof NoAnswerError)) {
				throw answer.reason;
			}

			return false;
		}

		const {name} = plan.body;
		const {status, json} = answer.value;
		this.scene.ledger.count(`POST ${status}`);
		if (status !== 200) {
			// A full queue, a full disk, a shutdown: the client asks again.
			if (![429, 503, 507].includes(status)) {
				this.scene.ledger.find(name, `a start was answered ${status} ${JSON.stringify(json)}`);
			}

			return false;
		}

		if (json['status'] === 'queued') {
			this.scene.ledger.count('POST 200, queued');
		}

		const processId = String(json['process_id']);
		const earlier = this.scene.ledger.started.get(name);
		if (earlier !== undefined && earlier.processId !== processId) {
			this.scene.ledger.find(name, `one key gave ${earlier.processId} and ${processId}`);
		}

		this.scene.ledger.started.set(name, earlier ?? {plan, processId});
		return true;
	}

	async #killOne(): Promise<void> {
		const started = [...this.scene.ledger.started.values()].slice(-60);
		if (started.length === 0) {
			return;
		}

		const victim = this.random.pick(started);
		const grace = this.random.pick([0, 0.2, 1]);
		this.scene.ledger.killed.add(victim.plan.body.name);
		try {
			const {status, json} = await this.scene.daemon.ask('DELETE', '/execute/kill', {
				process_id: victim.processId,
				grace_period: grace,
			});
			this.scene.ledger.count(`DELETE ${status}`);
			await this.#checkKill(victim.processId, status, json);
		} catch (error) {
			if (!(error instanceof NoAnswerError)) {
				throw error;
			}
		}
	}

	async #checkKill(processId: string, status: number, json: object): Promise<void> {
		// 503: the daemon shuts down. 507: that one that waits is never to run cannot be stored.
		if (![200, 404, 503, 507].includes(status)) {
			this.scene.ledger.find(processId, `a kill was answered ${status} ${JSON.stringify(json)}`);
		}

		const alive = status === 200 ? findProcesses(`NOHUPD_PROCESS_ID=${processId}`) : [];
		if (alive.length > 0) {
			this.scene.ledger.find(processId, `was killed, and alive at the answer: ${alive.join(', ')}`);
		}

		// It has ended by itself: a state is never taken back.
		const shown =
			status === 404 ? await this.scene.daemon.ask('GET', `/execute/processes/${processId}?tail_bytes=0`) : null;
		const now = String(shown?.json['status']);
		if (shown?.status === 200 && !['completed', 'failed', 'killed'].includes(now)) {
			this.scene.ledger.find(processId, `could not be killed, and is ${now}`);
		}
	}
}
