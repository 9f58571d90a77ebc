import {hash} from 'node:crypto';
import type {Caller} from './caller.js';

/** Milliseconds since 1970, and since some moment that nobody can set. */
export interface Clocks {
	now(): number;
	monotonicMs(): number;
}

interface Verdict {
	readonly caller: Caller;
	readonly expiresAt: number;
	readonly since: number;
}

/** Keys can be withdrawn from a remote set, so no verdict is final. */
const maxAgeMs = 5 * 60 * 1000;

/** Remembers whose the tokens are that were found good, by their SHA-256, so that the next use costs no signature. */
export class TokenCache {
	/** Maps remember the order of insertion: the first is the one that was not used for the longest time. */
	readonly #verdicts = new Map<string, Verdict>();

	constructor(
		private readonly clocks: Clocks,
		private readonly maxSize = 1000,
	) {}

	/** Whose token it is, if it was found good before and has not expired since. */
	find(token: string): Caller | null {
		const digest = digestOf(token);
		const verdict = this.#verdicts.get(digest);
		if (verdict === undefined) {
			return null;
		}

		this.#verdicts.delete(digest);
		const isFresh = this.clocks.now() < verdict.expiresAt && this.clocks.monotonicMs() < verdict.since + maxAgeMs;
		if (isFresh) {
			this.#verdicts.set(digest, verdict);
		}

		return isFresh ? verdict.caller : null;
	}

	/** @param exp - As in the token: seconds since 1970, or `undefined` for a token without end. */
	add(token: string, exp: number | undefined, caller: Caller): void {
		const expiresAt = exp === undefined ? Number.POSITIVE_INFINITY : exp * 1000;
		this.#verdicts.set(digestOf(token), {caller, expiresAt, since: this.clocks.monotonicMs()});
		if (this.#verdicts.size > this.maxSize) {
			const [oldest = ''] = this.#verdicts.keys();
			this.#verdicts.delete(oldest);
		}
	}

	/** From now on every token is checked again. */
	clear(): void {
		this.#verdicts.clear();
	}

	get size(): number {
		return this.#verdicts.size;
	}
}

function digestOf(token: string): string {
	return hash('sha256', token, 'base64');
}
