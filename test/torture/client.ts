import {setTimeout as pause} from 'node:timers/promises';
import {type Answer, NoAnswerError, type TorturedDaemon} from './daemon.js';
import type {Random} from './random.js';
import {makePlan, type Plan} from './shapes.js';

/** What a client knows of one command that it started. */
export interface Started {
	readonly plan: Plan;
	readonly processId: string;
	/** Whether anybody asked to end it. */
	wasKilled: boolean;
}

/** What happened, told by everybody who took part. */
export interface Ledger {
	/** Acknowledged, by name. */
	readonly started: Map<string, Started>;
	/** Names of commands that were asked for, acknowledged or not. */
	readonly asked: Set<string>;
	/** What was seen at once to be wrong. */
	readonly findings: string[];
	/** By what was done. */
	readonly counts: Map<string, number>;
}

export function count({counts}: Ledger, what: string): void {
	counts.set(what, (counts.get(what) ?? 0) + 1);
}

/** Starts commands, one after the other, and ends some of them. */
export class Client {
	#number = 0;

	constructor(
		private readonly name: string,
		private readonly daemon: TorturedDaemon,
		private readonly marks: string,
		private readonly random: Random,
		private readonly ledger: Ledger,
	) {}

	/** Settles some time after `signal`, when what was begun is answered. */
	async run(signal: AbortSignal): Promise<void> {
		while (!signal.aborted) {
			await this.#startOne(signal);
			if (this.random.chance(0.4)) {
				await this.#killOne();
			}

			await pause(this.random.int(0, 60));
		}
	}

	/** Asks again with the same key until there is an answer: so it must run once. */
	async #startOne(signal: AbortSignal): Promise<void> {
		const plan = makePlan(this.random, `${this.name}-${this.#number++}`, this.marks);
		const {name} = plan.body;
		this.ledger.asked.add(name);
		const ask = () => this.daemon.ask('POST', '/commands/background', plan.body, {'idempotency-key': name});
		for (;;) {
			const answers = await Promise.allSettled(this.random.chance(0.1) ? [ask(), ask()] : [ask()]);
			const isKnown = answers.map(answer => this.#note(plan, answer)).some(Boolean);
			if (isKnown || signal.aborted) {
				return;
			}

			await pause(50);
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

		const {status, json} = answer.value;
		count(this.ledger, `POST ${status}`);
		if (status !== 200) {
			// A full queue, a full disk, a shutdown: the client asks again.
			if (![429, 503, 507].includes(status)) {
				this.ledger.findings.push(`${plan.body.name}: a start was answered ${status} ${JSON.stringify(json)}`);
			}

			return false;
		}

		const processId = String(json['process_id']);
		const earlier = this.ledger.started.get(plan.body.name);
		if (earlier !== undefined && earlier.processId !== processId) {
			this.ledger.findings.push(`${plan.body.name}: one key gave ${earlier.processId} and ${processId}`);
		}

		this.ledger.started.set(plan.body.name, earlier ?? {plan, processId, wasKilled: false});
		return true;
	}

	async #killOne(): Promise<void> {
		const started = [...this.ledger.started.values()].slice(-40);
		if (started.length === 0) {
			return;
		}

		const victim = this.random.pick(started);
		const grace = this.random.pick([0, 0.2, 1]);
		victim.wasKilled = true;
		try {
			const {status, json} = await this.daemon.ask('DELETE', '/execute/kill', {
				process_id: victim.processId,
				grace_period: grace,
			});
			count(this.ledger, `DELETE ${status}`);
			// 404: it had ended by itself. 503: the daemon shuts down. 507: that one that waits is never to run cannot be stored.
			if (![200, 404, 503, 507].includes(status)) {
				this.ledger.findings.push(`${victim.processId}: a kill was answered ${status} ${JSON.stringify(json)}`);
			}
		} catch (error) {
			if (!(error instanceof NoAnswerError)) {
				throw error;
			}
		}
	}
}
