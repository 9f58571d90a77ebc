import type {Plan} from './shapes.js';

/** What a client knows of one command that it started. */
export interface Started {
	readonly plan: Plan;
	readonly processId: string;
	/** Whether anybody asked to end it. */
	wasKilled: boolean;
}

/** What happened, told by everybody who took part. */
export class Ledger {
	/** Acknowledged, by name. */
	readonly started = new Map<string, Started>();
	/** By name: what was asked for, acknowledged or not. */
	readonly asked = new Map<string, Plan>();
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

	/** Also of one that was never acknowledged: then nobody knew its id, and so nobody ended it. */
	wasKilled(name: string): boolean {
		return this.started.get(name)?.wasKilled ?? false;
	}
}
