import {createHmac, generateKeyPairSync, type KeyObject} from 'node:crypto';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import {exportJWK, SignJWT} from 'jose';
import type {Supervisor} from '../../lib/index.js';
import {ask, mint, openServer, secret, type TestAnswer, type TestServerOptions} from '../helpers/http-server.js';

const now = Math.floor(Date.now() / 1000);

const empty: Partial<Supervisor> = {list: async () => ({processes: [], nextCursor: null})};

/** Asks for the list with this token. */
async function use(t: ExecutionContext, token: string | null, options: TestServerOptions = {}): Promise<TestAnswer> {
	const {port} = await openServer(t, empty, options);
	return ask(port, 'GET', '/execute/processes', {token});
}

const accepts = test.macro(async (t, makeToken: () => Promise<string>, options: TestServerOptions = {}) => {
	const {status} = await use(t, await makeToken(), options);

	t.is(status, 200);
});

/** All are refused with the same words. */
const refuses = test.macro(async (t, makeToken: () => Promise<string> | string, options: TestServerOptions = {}) => {
	const {status, headers, json} = await use(t, await makeToken(), options);

	t.is(status, 401);
	t.is(headers['www-authenticate'], 'Bearer error="invalid_token"');
	t.deepEqual(json, {
		error: 'The token is not valid',
		message: 'The token is not valid',
		code: 'INVALID_TOKEN',
		request_id: headers['x-request-id'],
	});
});

function unsigned(header: object, payload: object): string {
	return [header, payload].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
}

test('a token with our signature opens', accepts, () => mint({exp: now + 60, nbf: now}));
test('a token without an end opens', accepts, () => mint());
test('a token for our issuer and audience opens', accepts, () => mint({iss: 'us', aud: ['them', 'nohupd']}), {
	claims: {issuer: 'us', audience: 'nohupd'},
});

test('without a token one is asked for', async t => {
	const {status, headers, json} = await use(t, null);

	t.is(status, 401);
	t.is(headers['www-authenticate'], 'Bearer');
	t.is(json['code'], 'AUTHENTICATION_REQUIRED');
});

test('an algorithm "none" is refused', refuses, () => `${unsigned({alg: 'none'}, {})}.`);
test('a signature by another key is refused', refuses, () =>
	mint({}, Buffer.from('another secret, as long as the true one')),
);
test('an expired token is refused', refuses, () => mint({exp: now - 1}));
test('a token that is not yet valid is refused', refuses, () => mint({nbf: now + 60}));
test('a token of another issuer is refused', refuses, () => mint({iss: 'them', aud: 'nohupd'}), {
	claims: {issuer: 'us', audience: 'nohupd'},
});
test('a token for another audience is refused', refuses, () => mint({iss: 'us', aud: 'them'}), {
	claims: {issuer: 'us', audience: 'nohupd'},
});
test('a token that names no issuer is refused where one is asked for', refuses, () => mint(), {claims: {issuer: 'us'}});
test('a token of 9 kB is refused', refuses, () => mint({text: 'x'.repeat(7000)}));
test('what is no token at all is refused', refuses, () => 'hello');
test('a token with other claims under its signature is refused', refuses, async () => {
	const [header, , signature] = (await mint()).split('.');
	return `${header}.${Buffer.from('{"sub":"me"}').toString('base64url')}.${signature}`;
});
test('a token signed by our secret with another algorithm is refused', refuses, () => {
	const input = unsigned({alg: 'HS512'}, {});
	return `${input}.${createHmac('sha512', secret).update(input).digest('base64url')}`;
});
test('a token that demands what nobody understands is refused', refuses, () => {
	const input = unsigned({alg: 'HS256', crit: ['magic'], magic: 1}, {});
	return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
});

test('another way of authorization than Bearer is none', async t => {
	const {port} = await openServer(t, empty);

	const {json} = await ask(port, 'GET', '/execute/processes', {headers: {authorization: 'Basic dTpw'}, token: null});

	t.is(json['code'], 'AUTHENTICATION_REQUIRED');
});

test('"bearer" may be written small (RFC 9110 section 11.1)', async t => {
	const {port} = await openServer(t, empty);
	const headers = {authorization: `bearer ${await mint()}`};

	t.is((await ask(port, 'GET', '/execute/processes', {headers, token: null})).status, 200);
});

test('a token in the query string is not taken', async t => {
	const {port} = await openServer(t, empty);

	const {status} = await ask(port, 'GET', `/execute/processes?access_token=${await mint()}`, {token: null});

	t.is(status, 401);
});

test('a token is good until the second it ends, also when it was used before', async t => {
	let time = Date.now();
	const {port} = await openServer(t, empty, {now: () => time});
	const token = await mint({exp: Math.floor(time / 1000) + 3600});
	const use = async () => (await ask(port, 'GET', '/execute/processes', {token})).status;

	t.is(await use(), 200);
	t.is(await use(), 200);
	time += 3600 * 1000;
	t.is(await use(), 401);
});

test('the reason for a refusal is in the log, the token is not', async t => {
	const {port, log} = await openServer(t, empty);
	const token = await mint({exp: now - 1});

	await ask(port, 'GET', '/execute/processes', {token});

	t.regex(log.join(''), /ERR_JWT_EXPIRED/);
	t.false(token.split('.').some(part => log.join('').includes(part)));
});

const {publicKey: rsaPublic, privateKey: rsaPrivate} = generateKeyPairSync('rsa', {modulusLength: 2048});
const rsaOnly: TestServerOptions = {key: {kind: 'public', publicKey: rsaPublic, algorithms: ['RS256']}};

function signed(algorithm: string, key: KeyObject, header: object = {}): Promise<string> {
	return new SignJWT({}).setProtectedHeader({...header, alg: algorithm}).sign(key);
}

test('with a public key, its private half signs', accepts, () => signed('RS256', rsaPrivate), rsaOnly);
test(
	'a public key is never taken for a secret',
	refuses,
	() => {
		const input = unsigned({alg: 'HS256', typ: 'JWT'}, {});
		const pem = rsaPublic.export({type: 'spki', format: 'pem'});
		return `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`;
	},
	rsaOnly,
);
test('the key fixes the algorithm, not the token', refuses, () => signed('PS256', rsaPrivate), rsaOnly);
test('with a public key, our own secret opens nothing', refuses, () => mint(), rsaOnly);

const ed = generateKeyPairSync('ed25519');
const edOnly: TestServerOptions = {key: {kind: 'public', publicKey: ed.publicKey, algorithms: ['EdDSA', 'Ed25519']}};

test('with an Ed25519 key, EdDSA opens', accepts, () => signed('EdDSA', ed.privateKey), edOnly);

/** Publishes keys, and counts how often they are asked for. */
async function publish(t: ExecutionContext, keys: object[], status = 200): Promise<{url: URL; fetches: () => number}> {
	let fetches = 0;
	const server = createServer((_, response) => {
		fetches++;
		response.writeHead(status, {connection: 'close'}).end(JSON.stringify({keys}));
	});
	t.teardown(() => server.close());
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	return {url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`), fetches: () => fetches};
}

test('keys can come from a URL, and are fetched once', async t => {
	const {url, fetches} = await publish(t, [{...(await exportJWK(rsaPublic)), kid: 'one'}]);
	const {port} = await openServer(t, empty, {key: {kind: 'key set', url}});
	const use = async (token: string) => (await ask(port, 'GET', '/execute/processes', {token})).status;

	t.is(await use(await signed('RS256', rsaPrivate, {kid: 'one'})), 200);
	t.is(await use(await signed('RS384', rsaPrivate, {kid: 'one'})), 200);
	t.is(await use(await signed('RS256', rsaPrivate, {kid: 'two'})), 401);
	t.is(await use(await mint()), 401);
	t.is(fetches(), 1);
});

test('a shared secret in a set of public keys opens nothing', async t => {
	const jwk = {kty: 'oct', k: Buffer.from('x'.repeat(32)).toString('base64url'), kid: 'one', alg: 'HS256'};
	const {url} = await publish(t, [jwk]);
	const token = await new SignJWT({}).setProtectedHeader({alg: 'HS256', kid: 'one'}).sign(Buffer.from('x'.repeat(32)));

	const {status} = await use(t, token, {key: {kind: 'key set', url}});

	t.is(status, 401);
});

test('where keys cannot be fetched nobody is let in, and nobody is told that his token is bad', async t => {
	const {url} = await publish(t, [], 500);

	const {status, json} = await use(t, await signed('RS256', rsaPrivate), {key: {kind: 'key set', url}});

	t.is(status, 503);
	t.is(json['code'], 'SERVICE_UNAVAILABLE');
});
