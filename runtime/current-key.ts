import type {Key} from './key.js';
import {type Claims, createVerifier, type Verify} from './verifier.js';

/** The key that tokens are checked with now; another can take its place while requests are served. */
export class CurrentKey {
	#verify: Verify;

	private constructor(
		verify: Verify,
		private readonly claims: Claims,
	) {
		this.#verify = verify;
	}

	static async open(key: Key, claims: Claims): Promise<CurrentKey> {
		return new CurrentKey(await createVerifier(key, claims), claims);
	}

	/** Asks the key of the moment. */
	readonly verify: Verify = token => this.#verify(token);

	/** From when it settles on, only tokens of this key are good. */
	async replace(key: Key): Promise<void> {
		this.#verify = await createVerifier(key, this.claims);
	}
}
