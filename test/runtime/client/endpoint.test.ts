import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {decodeJwt} from 'jose';
import {publishAddress} from '../../../runtime/address-file.js';
import {DaemonAwayError} from '../../../runtime/client/daemon-errors.js';
import {endpointFinder} from '../../../runtime/client/endpoint.js';
import {openOwnKey} from '../../../runtime/own-key.js';
import {makeTempDir} from '../../helpers/temp-dir.js';

const url = 'http://127.0.0.1:4711';

test('the daemon of the state directory is asked with a token of a minute, signed by its key', async t => {
	const stateDir = makeTempDir(t);
	openOwnKey(stateDir);
	publishAddress(stateDir, url);

	const endpoint = await endpointFinder({stateDir}, {})();

	t.is(endpoint.url, url);
	const {exp = 0, iat = 0} = decodeJwt(endpoint.token);
	t.is(exp - iat, 60);
});

test('a token that is given is used, a flag before the variable', async t => {
	const stateDir = makeTempDir(t);
	publishAddress(stateDir, url);
	const environment = {NOHUPD_TOKEN: 'variable', NOHUPD_STATE_DIR: stateDir};

	t.is((await endpointFinder({}, environment)()).token, 'variable');
	t.is((await endpointFinder({token: 'flag'}, environment)()).token, 'flag');
});

test('a URL is asked with the token that is given', async t => {
	t.deepEqual(await endpointFinder({url: 'https://example.org/nohupd/', token: 'x'}, {})(), {
		url: 'https://example.org/nohupd',
		token: 'x',
	});
});

test('the local key signs nothing for a URL', t => {
	const stateDir = makeTempDir(t);
	openOwnKey(stateDir);

	t.throws(() => endpointFinder({url, stateDir}, {}), {message: /needs a token: .* NOHUPD_TOKEN or --token/});
});

test('what is no URL is refused', t => {
	t.throws(() => endpointFinder({url: 'localhost:7777', token: 'x'}, {}), {message: /^--url must begin with http/});
});

test('where no daemon runs, a sentence says where it was looked for', async t => {
	const stateDir = makeTempDir(t);
	openOwnKey(stateDir);
	const find = endpointFinder({stateDir}, {});

	await t.throwsAsync(find, {
		instanceOf: DaemonAwayError,
		message: `No daemon runs on the state directory ${stateDir}: start one (nohupd serve), or name another with --state-dir or --url`,
	});
	publishAddress(stateDir, url);
	t.is((await find()).url, url);
});

test('a daemon with a key from elsewhere needs a token from there', async t => {
	const stateDir = makeTempDir(t);
	publishAddress(stateDir, url);

	await t.throwsAsync(endpointFinder({stateDir}, {}), {message: /^No key in .*; or give a token with NOHUPD_TOKEN/});
});

test('a state directory that cannot be read is told', async t => {
	const stateDir = join(makeTempDir(t), 'file');
	writeFileSync(stateDir, '');

	await t.throwsAsync(endpointFinder({stateDir}, {}), {message: /cannot be read: ENOTDIR/});
});
