import test from 'ava';
import {decodeJwt} from 'jose';
import {openOwnKey} from '../../runtime/own-key.js';
import {mintToken} from '../../runtime/token.js';
import {createVerifier} from '../../runtime/verifier.js';
import {makeTempDir} from '../helpers/temp-dir.js';

test('a token says whose it is, for whom, and how long it is good', async t => {
	const stateDir = makeTempDir(t);
	openOwnKey(stateDir);
	const flags = {stateDir, jwtIssuer: 'us', jwtAudience: 'nohupd'};

	const claims = decodeJwt(await mintToken({subject: 'me', ttl: '12h'}, flags, {}));

	t.like(claims, {sub: 'me', iss: 'us', aud: 'nohupd'});
	t.is((claims.exp ?? 0) - (claims.iat ?? 0), 12 * 3600);
});

test('a token says what it allows, and whether it is only for its own', async t => {
	const environment = {NOHUPD_JWT_SECRET: 'x'.repeat(32)};
	const mintWith = async (options: object) => decodeJwt(await mintToken({ttl: '1h', ...options}, {}, environment));

	t.like(await mintWith({scope: 'start,read  start', subject: 'me', own: true}), {scope: 'start read', own: true});
	const claims = await mintWith({});
	t.deepEqual(['scope' in claims, 'own' in claims], [false, false]);
	await t.throwsAsync(mintWith({scope: 'read kil'}), {
		message: /^--scope has no known word "kil"; did you mean kill\?$/,
	});
	await t.throwsAsync(mintWith({scope: ' '}), {message: /^--scope .*known are read, start, kill, admin$/});
	await t.throwsAsync(mintWith({own: true}), {message: /^--own needs --subject/});
});

test('a token is signed with the key of the state directory', async t => {
	const stateDir = makeTempDir(t);
	const verify = await createVerifier(openOwnKey(stateDir));

	await t.notThrowsAsync(verify(await mintToken({ttl: '60'}, {stateDir}, {})));
	await t.throwsAsync(verify(await mintToken({ttl: '60'}, {}, {NOHUPD_JWT_SECRET: 'x'.repeat(32)})));
});

const lasts = test.macro(async (t, ttl: string, seconds: number) => {
	const {exp = 0, iat = 0} = decodeJwt(await mintToken({ttl}, {}, {NOHUPD_JWT_SECRET: 'x'.repeat(32)}));

	t.is(exp - iat, seconds);
});

test('60 is a minute', lasts, '60', 60);
test('90m is an hour and a half', lasts, '90m', 5400);
test('30d is a month', lasts, '30d', 2_592_000);

const cannot = test.macro(
	async (t, ttl: string, flags: object, environment: Record<string, string>, message: RegExp) => {
		await t.throwsAsync(mintToken({ttl}, flags, environment), {message});
	},
);

test('refuses no time', cannot, '0', {}, {}, /^--ttl must be more than 0; got "0"$/);
test('refuses what is no time', cannot, 'soon', {}, {}, /^--ttl must be seconds, .*; got "soon"$/);
test('makes no key of its own', cannot, '1h', {stateDir: '/nowhere'}, {}, /^No key in \/nowhere: start the daemon/);
test(
	'cannot sign for a set of public keys',
	cannot,
	'1h',
	{},
	{NOHUPD_JWKS_URL: 'https://keys.example/'},
	/only its private half can sign/,
);
