import {execFile} from 'node:child_process';
import {chmodSync, mkdirSync, readdirSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import type {Key} from '../../runtime/key.js';
import {keyPath, openOwnKey, readOwnKey} from '../../runtime/own-key.js';
import {makeTempDir} from '../helpers/temp-dir.js';

function emptyStateDir(t: ExecutionContext): string {
	const stateDir = join(makeTempDir(t), 'a', 'state');
	mkdirSync(stateDir, {recursive: true, mode: 0o700});
	return stateDir;
}

function textOf(key: Key | null): string | null {
	return key?.kind === 'secret' ? key.secret.export().toString() : null;
}

test('the first start makes a key of 32 random bytes that only its owner can read', t => {
	const stateDir = emptyStateDir(t);

	const key = openOwnKey(stateDir);

	t.is(Buffer.from(textOf(key) ?? '', 'base64url').length, 32);
	t.is(statSync(keyPath(stateDir)).mode & 0o777, 0o600);
	t.deepEqual(readdirSync(stateDir), ['key']);
});

test('later starts take the same key', t => {
	const stateDir = emptyStateDir(t);

	const first = textOf(openOwnKey(stateDir));

	t.is(textOf(openOwnKey(stateDir)), first);
	t.is(textOf(readOwnKey(stateDir)), first);
});

test('where no key was made, reading finds none', t => {
	t.is(readOwnKey(emptyStateDir(t)), null);
});

test('several that start at once agree on one key', async t => {
	const stateDir = emptyStateDir(t);
	const module = new URL('../../runtime/own-key.js', import.meta.url).href;
	const program = `
		const {openOwnKey} = await import('${module}');
		console.log(openOwnKey(process.argv[1]).secret.export().toString());`;
	const start = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', program, stateDir]);

	const outputs = await Promise.all(Array.from({length: 6}, start));

	t.is(new Set(outputs.map(({stdout}) => stdout)).size, 1);
	t.deepEqual(readdirSync(stateDir), ['key']);
});

test('a key that others can read is refused', t => {
	const stateDir = emptyStateDir(t);
	openOwnKey(stateDir);
	chmodSync(keyPath(stateDir), 0o640);

	t.throws(() => openOwnKey(stateDir), {message: /key can be read by others \(mode 640\)/});
});

test('a key that cannot be read is an error, not a reason for another key', t => {
	const stateDir = emptyStateDir(t);
	mkdirSync(keyPath(stateDir), {mode: 0o700});

	t.throws(() => openOwnKey(stateDir), {code: 'EISDIR'});
});
