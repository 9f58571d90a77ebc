import type {Plan} from './shapes.js';

/** What a client knows of one command that it started. */
export interface Started {
	readonly plan: Plan;
	readonly processId: string;
}

/** What happened, told by everybody who took part. */
export class Ledger {
	/** Acknowledged, by name. */
	readonly started = new Map<string, Started>();
	/** By name: what was asked for, acknowledged or not. */
	readonly asked = new Map<string, Plan>();
	/** By name: what somebody asked to end. */
	readonly killed = new Set<string>();
	/** What was seen to be wrong. */
	readonly findings: string[] = [];
	/** By what was done. */
	readonly counts = new Map<string, number>();

	count(what: string): void {
		this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
	}

	find(whose: string, what: string): void {
		this.findings.push(`${whose}: ${what}`);
	}

	/** Takes down what went wrong with somebody who took part, so that the others go on. */
	failed(who: string): (error: unknown) => void {
		return error => this.find(who, error instanceof Error ? String(error.stack) : String(error));
	}
}
