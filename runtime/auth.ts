import type {Logger} from '../lib/index.js';
import {type Caller, readCaller} from './caller.js';
import {Problem} from './problem.js';
import type {TokenCache} from './token-cache.js';
import {KeysUnavailableError, TokenInvalidError, type Verify} from './verifier.js';

const maxTokenLength = 8192;

/** Lets in who carries a valid JWT as `Authorization: Bearer <token>` (RFC 6750 section 2.1), and nobody else. */
export class Authenticator {
	constructor(
		private readonly verify: Verify,
		private readonly cache: TokenCache,
		private readonly logger: Logger,
	) {}

	/**
	 * Settles with who it is. A token without `exp` is accepted: who runs the daemon makes the tokens, and may want one that lasts
	 * as long as its key. `exp` and `nbf` are honoured to the second wherever they stand.
	 * @throws {Problem} 401, with the same words for every bad token; the reason goes to the log.
	 */
	async authenticate(authorization: string | undefined): Promise<Caller> {
		const [, token] = /^bearer +(.*)$/i.exec(authorization?.trim() ?? '') ?? [];
		if (token === undefined) {
			throw new Problem('AUTHENTICATION_REQUIRED', 'A token is required: send it as "Authorization: Bearer <token>"');
		}

		if (token.length > maxTokenLength) {
			throw this.#refuse('TOKEN_TOO_LONG');
		}

		return this.cache.find(token) ?? (await this.#verify(token).catch(error => this.#explain(error)));
	}

	async #verify(token: string): Promise<Caller> {
		const claims = await this.verify(token);
		const caller = readCaller(claims);
		this.cache.add(token, claims.exp, caller);
		return caller;
	}

	#explain(error: unknown): never {
		if (error instanceof KeysUnavailableError) {
			this.logger.warn({error: error.cause}, error.message);
			throw new Problem('SERVICE_UNAVAILABLE', `${error.message}; try again`);
		}

		throw error instanceof TokenInvalidError ? this.#refuse(error.reason) : error;
	}

	#refuse(reason: string): Problem {
		this.logger.debug({reason}, 'A token was refused');
		return new Problem('INVALID_TOKEN', 'The token is not valid');
	}
}
