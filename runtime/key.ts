import {createPublicKey, createSecretKey, type KeyObject} from 'node:crypto';
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {SettingsInvalidError} from '../lib/index.js';
import {type Config, type Flags, nameAsGiven} from './config.js';

/** What tokens are checked with. The key alone says by which algorithm, never a token. */
export type Key =
	| {readonly kind: 'secret'; readonly secret: KeyObject; readonly origin: string}
	| {readonly kind: 'public'; readonly publicKey: KeyObject; readonly algorithms: readonly string[]}
	| {readonly kind: 'key set'; readonly url: URL};

type KeyConfig = Pick<Config, 'jwtSecret' | 'jwtPublicKey' | 'jwksUrl'>;
type Environment = Readonly<Record<string, string | undefined>>;

/** A place where a key can be given. */
interface Source {
	/** As a sentence names it. */
	readonly origin: string;
	readonly text: string | undefined;
	readonly read: (text: string, origin: string) => Key;
}

/** RFC 7518 section 3.2: a key of the same size as the hash output or larger must be used. */
const minSecretBytes = 32;

/** RFC 7518 section 3.3. */
const minRsaBits = 2048;

/**
 * The key that the settings or systemd's credentials give, `null` where none is given.
 * @throws {SettingsInvalidError} names where it came from.
 */
export function readGivenKey(config: KeyConfig, flags: Flags, environment: Environment): Key | null {
	const credentials = environment['CREDENTIALS_DIRECTORY'];
	const sources: Source[] = [
		{origin: nameAsGiven('jwtSecret', flags), text: config.jwtSecret, read: secretKey},
		{origin: 'the credential jwt-secret', text: readCredential(credentials, 'jwt-secret'), read: secretKey},
		{origin: nameAsGiven('jwtPublicKey', flags), text: config.jwtPublicKey, read: publicKeyFile},
		{origin: 'the credential jwt-public-key', text: readCredential(credentials, 'jwt-public-key'), read: publicKey},
		{origin: nameAsGiven('jwksUrl', flags), text: config.jwksUrl?.href, read: keySet},
	];
	const [first, second] = sources.filter(({text}) => text !== undefined);
	if (first?.text === undefined) {
		return null;
	}

	if (second !== undefined) {
		throw new SettingsInvalidError(
			first.origin,
			`and ${second.origin} are both given: tokens are checked with one key only`,
		);
	}

	return first.read(first.text, first.origin);
}

function keySet(url: string): Key {
	return {kind: 'key set', url: new URL(url)};
}

/** @throws {SettingsInvalidError} names `origin`, and never shows the secret. */
export function secretKey(secret: string, origin: string): Key {
	const bytes = Buffer.from(secret);
	if (bytes.length < minSecretBytes) {
		throw new SettingsInvalidError(
			origin,
			`has ${bytes.length} bytes, and HS256 needs a secret of at least ${minSecretBytes} (RFC 7518 section 3.2)`,
		);
	}

	return {kind: 'secret', secret: createSecretKey(bytes), origin};
}

function publicKey(pem: string, origin: string): Key {
	if (pem.includes('PRIVATE KEY')) {
		throw new SettingsInvalidError(origin, 'holds a private key: give its public half, and keep this one elsewhere');
	}

	const key = parsePem(pem, origin);
	const algorithms = algorithmsOf(key);
	if (algorithms === null) {
		throw new SettingsInvalidError(
			origin,
			'must be a key for RSA of at least 2048 bits, for EC on P-256, P-384 or P-521, or for Ed25519',
		);
	}

	return {kind: 'public', publicKey: key, algorithms};
}

const algorithmByCurve: Readonly<Record<string, string>> = {
	prime256v1: 'ES256',
	secp384r1: 'ES384',
	secp521r1: 'ES512',
};

function algorithmsOf({asymmetricKeyType, asymmetricKeyDetails}: KeyObject): string[] | null {
	switch (asymmetricKeyType) {
		case 'rsa':
			return (asymmetricKeyDetails?.modulusLength ?? 0) >= minRsaBits ? ['RS256'] : null;
		case 'ec': {
			const algorithm = algorithmByCurve[asymmetricKeyDetails?.namedCurve ?? ''];
			return algorithm === undefined ? null : [algorithm];
		}

		case 'ed25519':
			// Two names of one algorithm (RFC 9864).
			return ['EdDSA', 'Ed25519'];
		default:
			return null;
	}
}

function parsePem(pem: string, origin: string): KeyObject {
	try {
		return createPublicKey(pem);
	} catch (cause) {
		throw new SettingsInvalidError(origin, 'must be a public key in PEM ("-----BEGIN PUBLIC KEY-----")', {cause});
	}
}

function publicKeyFile(path: string, origin: string): Key {
	return publicKey(readFile(path, origin), origin);
}

/** systemd.exec(5), "Credentials": files that only the service can read; `undefined` where there is none. */
function readCredential(directory: string | undefined, name: string): string | undefined {
	const path = directory && join(directory, name);
	// Text editors and `echo` end a file with a newline, which is not meant.
	return path && existsSync(path) ? readFile(path, `the credential ${name}`).replace(/\r?\n$/, '') : undefined;
}

function readFile(path: string, origin: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch (cause) {
		throw new SettingsInvalidError(origin, `cannot be read: ${(cause as Error).message}`, {cause});
	}
}
