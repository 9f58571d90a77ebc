import type {JWTPayload} from 'jose';
import {Problem} from './problem.js';
import {type Scope, scopes} from './scope.js';
import {TokenInvalidError} from './verifier.js';

/** Who calls, as the token says. */
export interface Caller {
	/** Owns what it starts; `null` where the token names nobody. */
	readonly subject: string | null;
	readonly scopes: ReadonlySet<Scope>;
	/** Whether everybody else's processes do not exist for it. */
	readonly isLimitedToOwn: boolean;
}

/** Who has shown no token: owns nothing, and may do nothing. */
export const stranger: Caller = {subject: null, scopes: new Set(), isLimitedToOwn: true};

/**
 * Reads `sub`, `scope` (words with spaces between, RFC 8693 section 4.2; none: everything) and `own`, which is ours.
 * Words of others are passed over. A claim of another type than it should have is not guessed at.
 * @throws {TokenInvalidError}
 */
export function readCaller({sub, scope, own = false}: JWTPayload): Caller {
	if (sub !== undefined && (typeof sub !== 'string' || !sub.isWellFormed() || sub.length > maxSubjectLength)) {
		throw new TokenInvalidError('SUBJECT_INVALID');
	}

	if (scope !== undefined && typeof scope !== 'string') {
		throw new TokenInvalidError('SCOPE_INVALID');
	}

	if (typeof own !== 'boolean' || (own && !sub)) {
		throw new TokenInvalidError('OWN_INVALID');
	}

	const words = scope?.split(' ');
	return {
		subject: sub || null,
		scopes: new Set(scopes.filter(known => words?.includes(known) ?? true)),
		isLimitedToOwn: own,
	};
}

/** The longest owner that the library takes. */
const maxSubjectLength = 4096;

const verbs: Readonly<Record<Scope, string>> = {
	read: 'read',
	start: 'start commands',
	kill: 'end or signal processes',
	admin: 'see or change what everybody shares',
};

/** @throws {Problem} 403 */
export function assertAllowed(caller: Caller, scope: Scope): void {
	if (!caller.scopes.has(scope)) {
		throw forbidden(`This token may not ${verbs[scope]}: its scope lacks ${scope}`, scope);
	}

	if (scope === 'admin' && caller.isLimitedToOwn) {
		throw forbidden(`This token may not ${verbs.admin}: it is only for what its subject started (own)`, scope);
	}
}

function forbidden(message: string, scope: Scope): Problem {
	// RFC 6750 section 3.1.
	return new Problem('FORBIDDEN', message, {
		headers: {'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"`},
	});
}
