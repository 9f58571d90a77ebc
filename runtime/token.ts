import {resolve} from 'node:path';
import {SignJWT} from 'jose/jwt/sign';
import * as v from 'valibot';
import {SettingsInvalidError} from '../lib/index.js';
import {type Flags, readConfig} from './config.js';
import {duration} from './duration.js';
import {CannotError} from './failure.js';
import {type Key, readGivenKey} from './key.js';
import {suggest} from './nearest.js';
import {readOwnKey} from './own-key.js';
import {scopes} from './scope.js';
import {printable} from './shown-text.js';
import {defaultStateDir} from './state-dir.js';

export interface TokenOptions {
	/** What the token says as `sub`. */
	readonly subject?: string | undefined;
	/** `3600`, `90m`, `12h` or `30d`. */
	readonly ttl: string;
	/** Words of `scope`, with spaces or commas between; `undefined`: the token allows everything. */
	readonly scope?: string | undefined;
	/** Whether the token is only for what its subject started. */
	readonly own?: boolean | undefined;
}

/**
 * Mints a token that the daemon with these settings takes.
 * Rejects with `SettingsInvalidError`, or with `CannotError` where there is no secret to sign with.
 */
export async function mintToken(
	{subject, ttl, scope, own = false}: TokenOptions,
	flags: Flags,
	environment: NodeJS.ProcessEnv,
): Promise<string> {
	const seconds = parseTtl(ttl);
	const words = scope === undefined ? undefined : parseScope(scope);
	if (own && !subject) {
		throw new SettingsInvalidError('--own', "needs --subject: what is its own must be somebody's");
	}

	const config = readConfig(flags, environment);
	const stateDir = config.stateDir ?? resolve(defaultStateDir(environment));
	const key = readGivenKey(config, flags, environment) ?? ownKey(stateDir);
	if (key.kind !== 'secret') {
		throw new CannotError('nohupd checks tokens with a public key here, and only its private half can sign one');
	}

	const now = Math.floor(Date.now() / 1000);
	const {jwtIssuer, jwtAudience} = config;
	return new SignJWT({
		...(subject === undefined ? {} : {sub: subject}),
		...(words === undefined ? {} : {scope: words}),
		...(own ? {own} : {}),
		...(jwtIssuer === undefined ? {} : {iss: jwtIssuer}),
		...(jwtAudience === undefined ? {} : {aud: jwtAudience}),
	})
		.setProtectedHeader({alg: 'HS256', typ: 'JWT'})
		.setIssuedAt(now)
		.setExpirationTime(now + seconds)
		.sign(key.secret);
}

/** Never made here: a misspelt directory would give a token that no daemon takes. */
function ownKey(stateDir: string): Key {
	const key = readOwnKey(stateDir);
	if (key === null) {
		throw new CannotError(
			`No key in ${stateDir}: start the daemon there once (nohupd serve), or name its directory with --state-dir`,
		);
	}

	return key;
}

/** A word that allows nothing would be a mistake that only shows much later. */
function parseScope(text: string): string {
	const words = text.split(/[\s,]+/).filter(Boolean);
	const unknown = words.find(word => !(scopes as readonly string[]).includes(word));
	if (unknown !== undefined || words.length === 0) {
		const problem = unknown === undefined ? `known are ${scopes.join(', ')}` : suggest(unknown, scopes);
		throw new SettingsInvalidError(
			'--scope',
			`has no known word ${JSON.stringify(printable(unknown ?? text))}; ${problem}`,
		);
	}

	return [...new Set(words)].join(' ');
}

const maxTtl = 100 * 365 * 86_400;

const ttlSchema = v.pipe(
	duration,
	v.minValue(1, 'must be more than 0'),
	v.maxValue(maxTtl, 'must be at most a hundred years'),
);

/** Seconds. */
function parseTtl(ttl: string): number {
	const parsed = v.safeParse(ttlSchema, ttl, {abortEarly: true});
	if (!parsed.success) {
		throw new SettingsInvalidError('--ttl', `${parsed.issues[0].message}; got ${JSON.stringify(printable(ttl))}`);
	}

	return parsed.output;
}
