import type {KeyObject} from 'node:crypto';
import type {JWTPayload} from 'jose';
import {JOSEError} from 'jose/errors';
import {type JWTVerifyOptions, jwtVerify} from 'jose/jwt/verify';
import type {Key} from './key.js';

/** What a token must say beyond being signed. */
export interface Claims {
	readonly issuer?: string | undefined;
	readonly audience?: string | undefined;
}

/**
 * Checks signature, `exp`, `nbf`, issuer and audience of a token and gives its claims.
 * Rejects with `TokenInvalidError` or `KeysUnavailableError`.
 */
export type Verify = (token: string) => Promise<JWTPayload>;

/** The token is no good. `reason` is for the log: it would help a stranger. */
export class TokenInvalidError extends Error {
	override readonly name = 'TokenInvalidError';

	constructor(
		readonly reason: string,
		options?: ErrorOptions,
	) {
		super(`The token is not valid: ${reason}`, options);
	}
}

/** Nothing can be said about the token: the set of public keys cannot be had. */
export class KeysUnavailableError extends Error {
	override readonly name = 'KeysUnavailableError';

	constructor(options?: ErrorOptions) {
		super('The keys that tokens are checked with cannot be fetched', options);
	}
}

/** A shared secret must never be among them: a public key would then do as one (RFC 8725 section 2.1). */
const asymmetric = [
	...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
	...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

export async function createVerifier(
	key: Key,
	{issuer, audience}: Claims = {},
	now: () => number = Date.now,
): Promise<Verify> {
	const claims = {...(issuer === undefined ? {} : {issuer}), ...(audience === undefined ? {} : {audience})};
	switch (key.kind) {
		case 'secret':
			return withKey(key.secret, {...claims, algorithms: ['HS256']}, now);
		case 'public':
			return withKey(key.publicKey, {...claims, algorithms: [...key.algorithms]}, now);
		case 'key set':
			return withKeySet(key.url, {...claims, algorithms: asymmetric}, now);
	}
}

function withKey(key: KeyObject, options: JWTVerifyOptions, now: () => number): Verify {
	return async token => {
		try {
			return (await jwtVerify(token, key, {...options, currentDate: new Date(now())})).payload;
		} catch (cause) {
			throw cause instanceof JOSEError ? new TokenInvalidError(cause.code, {cause}) : cause;
		}
	};
}

/** What jose says of the set itself; all its other errors are the token's. */
const aboutKeySet = ['ERR_JOSE_GENERIC', 'ERR_JWKS_INVALID', 'ERR_JWKS_TIMEOUT'];

async function withKeySet(url: URL, options: JWTVerifyOptions, now: () => number): Promise<Verify> {
	// Brings `fetch` with it, so only where it is needed.
	const {createRemoteJWKSet} = await import('jose/jwks/remote');
	const keys = createRemoteJWKSet(url);
	return async token => {
		try {
			return (await jwtVerify(token, keys, {...options, currentDate: new Date(now())})).payload;
		} catch (cause) {
			throw cause instanceof JOSEError && !aboutKeySet.includes(cause.code)
				? new TokenInvalidError(cause.code, {cause})
				: new KeysUnavailableError({cause});
		}
	};
}
