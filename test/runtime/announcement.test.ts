import {createPublicKey, generateKeyPairSync} from 'node:crypto';
import {homedir} from 'node:os';
import test from 'ava';
import {announcement} from '../../runtime/announcement.js';
import type {Key} from '../../runtime/key.js';
import {secretKey} from '../helpers/http-server.js';

function announce(host: string, key: Key = secretKey, stateDir = `${homedir()}/.local/state/nohupd`): string[] {
	const address = {address: host, family: 'IPv4', port: 7777};
	return announcement(host, {address, key}, stateDir).split('\n');
}

test('the first line is the address', t => {
	t.is(announce('127.0.0.1')[0], 'nohupd listening on http://127.0.0.1:7777');
});

test('an IPv6 address has brackets', t => {
	t.is(announce('::1')[0], 'nohupd listening on http://[::1]:7777');
});

test('where it listens on all addresses, the line to paste has one that can be reached', t => {
	t.is(announce('0.0.0.0')[0], 'nohupd listening on http://0.0.0.0:7777');
	t.true(announce('0.0.0.0').join('\n').includes('http://127.0.0.1:7777/commands/background'));
	t.true(announce('::').join('\n').includes('http://[::1]:7777/commands/background'));
});

test('only a state directory that is not the default is named', t => {
	t.notRegex(announce('127.0.0.1').join('\n'), /--state-dir/);
	t.regex(announce('127.0.0.1', secretKey, '/srv/x').join('\n'), /main\.js token --state-dir \/srv\/x\)" /);
});

test('a path is quoted for the shell', t => {
	t.true(announce('127.0.0.1', secretKey, "/a b/it's").join('\n').includes(`--state-dir '/a b/it'\\''s'`));
});

test('where we have no secret, tokens come from elsewhere', t => {
	const publicKey = createPublicKey(generateKeyPairSync('ed25519').privateKey);

	const withKey = announce('127.0.0.1', {kind: 'public', publicKey, algorithms: ['EdDSA']}).join('\n');
	const withSet = announce('127.0.0.1', {kind: 'key set', url: new URL('https://keys.example/')}).join('\n');

	t.regex(withKey, /Tokens come from whoever holds the private half/);
	t.regex(withSet, /Tokens come from whoever publishes the keys at https:\/\/keys\.example\//);
	t.notRegex(withKey + withSet, /main\.js/);
});
