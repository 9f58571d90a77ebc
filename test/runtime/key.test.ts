import {generateKeyPairSync, type KeyObject} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {SettingsInvalidError} from '../../lib/index.js';
import {readConfig} from '../../runtime/config.js';
import {type Key, readGivenKey} from '../../runtime/key.js';
import {makeTempDir} from '../helpers/temp-dir.js';

const secret = 'x'.repeat(32);

function read(environment: Record<string, string>): Key | null {
	return readGivenKey(readConfig({}, environment), {}, environment);
}

test('no key is given', t => {
	t.is(read({}), null);
});

test('a secret of 32 bytes', t => {
	const key = read({NOHUPD_JWT_SECRET: secret});

	t.is(key?.kind === 'secret' && key.secret.export().toString(), secret);
});

test('a secret that is too short for HS256 is refused, and not shown', t => {
	const error = t.throws(() => read({NOHUPD_JWT_SECRET: 'hunter2'}), {instanceOf: SettingsInvalidError});

	t.is(error?.message, 'NOHUPD_JWT_SECRET has 7 bytes, and HS256 needs a secret of at least 32 (RFC 7518 section 3.2)');
});

test('systemd gives a secret as a credential, without its last newline', t => {
	const directory = makeTempDir(t);
	writeFileSync(join(directory, 'jwt-secret'), `${secret}\n`);

	const key = read({CREDENTIALS_DIRECTORY: directory});

	t.is(key?.kind === 'secret' && key.secret.export().toString(), secret);
});

test('a directory of credentials may hold none of ours', t => {
	t.is(read({CREDENTIALS_DIRECTORY: makeTempDir(t)}), null);
});

test('two keys are one too many', t => {
	const error = t.throws(() => read({NOHUPD_JWT_SECRET: secret, NOHUPD_JWKS_URL: 'https://keys.example/'}));

	t.is(error?.message, 'NOHUPD_JWT_SECRET and NOHUPD_JWKS_URL are both given: tokens are checked with one key only');
});

function pemFile(t: ExecutionContext, publicKey: KeyObject): string {
	const path = join(makeTempDir(t), 'key.pem');
	writeFileSync(path, publicKey.export({type: 'spki', format: 'pem'}));
	return path;
}

const ec = (namedCurve: string) => generateKeyPairSync('ec', {namedCurve}).publicKey;
const rsa = (modulusLength: number) => generateKeyPairSync('rsa', {modulusLength}).publicKey;

const fixes = test.macro((t, makeKey: () => KeyObject, ...algorithms: string[]) => {
	const key = read({NOHUPD_JWT_PUBLIC_KEY: pemFile(t, makeKey())});

	t.deepEqual(key?.kind === 'public' && key.algorithms, algorithms);
});

test('an RSA key fixes RS256', fixes, () => rsa(2048), 'RS256');
test('a P-256 key fixes ES256', fixes, () => ec('P-256'), 'ES256');
test('a P-384 key fixes ES384', fixes, () => ec('P-384'), 'ES384');
test('a P-521 key fixes ES512', fixes, () => ec('P-521'), 'ES512');
test('an Ed25519 key fixes EdDSA', fixes, () => generateKeyPairSync('ed25519').publicKey, 'EdDSA', 'Ed25519');

const refuses = test.macro((t, makeKey: () => KeyObject) => {
	const path = pemFile(t, makeKey());

	t.throws(() => read({NOHUPD_JWT_PUBLIC_KEY: path}), {message: /^NOHUPD_JWT_PUBLIC_KEY must be a key for RSA of at/});
});

test('an RSA key that is too short is refused', refuses, () => rsa(1024));
test('a key for something else is refused', refuses, () => generateKeyPairSync('x25519').publicKey);

test('a private key is refused', t => {
	const {privateKey} = generateKeyPairSync('ed25519');
	const path = join(makeTempDir(t), 'key.pem');
	writeFileSync(path, privateKey.export({type: 'pkcs8', format: 'pem'}));

	t.throws(() => read({NOHUPD_JWT_PUBLIC_KEY: path}), {message: /^NOHUPD_JWT_PUBLIC_KEY holds a private key/});
});

test('a file that is no key, or that is missing, is named', t => {
	const path = join(makeTempDir(t), 'key.pem');

	t.throws(() => read({NOHUPD_JWT_PUBLIC_KEY: path}), {
		message: /^NOHUPD_JWT_PUBLIC_KEY cannot be read: ENOENT.*key\.pem/,
	});
	writeFileSync(path, 'hello');
	t.throws(() => read({NOHUPD_JWT_PUBLIC_KEY: path}), {message: /^NOHUPD_JWT_PUBLIC_KEY must be a public key in PEM/});
});
