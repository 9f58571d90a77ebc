import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {SettingsInvalidError} from '../../lib/index.js';
import {EnvironmentFile} from '../../runtime/environment-file.js';
import {openServer} from '../helpers/http-server.js';
import {makeTempDir} from '../helpers/temp-dir.js';

test('variables are kept as they were set, for nobody else to read', t => {
	const stateDir = makeTempDir(t);
	const path = join(stateDir, 'environment.json');
	writeFileSync(`${path}.new`, 'what a crash left behind', {mode: 0o644});
	const variables = new Map([
		['A', '1'],
		['__proto__', "'\n"],
	]);

	new EnvironmentFile(stateDir).replace(variables);

	t.deepEqual(new EnvironmentFile(stateDir).variables, variables);
	t.is(statSync(path).mode & 0o777, 0o600);
	t.false(existsSync(`${path}.new`));
});

test('what cannot be written is not in force either', t => {
	const stateDir = makeTempDir(t);
	const file = new EnvironmentFile(stateDir);
	file.replace(new Map([['A', '1']]));
	// In the way of the draft: a directory that is not empty.
	mkdirSync(join(stateDir, 'environment.json.new', 'x'), {recursive: true});

	t.throws(() => file.replace(new Map([['A', '2']])));

	t.deepEqual([...file.variables], [['A', '1']]);
	t.is(readFileSync(join(stateDir, 'environment.json'), 'utf8'), '{"A":"1"}');
});

test('a damaged file is not passed over, and not shown', t => {
	const stateDir = makeTempDir(t);
	writeFileSync(join(stateDir, 'environment.json'), '{"A": "hunter2');

	const error = t.throws(() => new EnvironmentFile(stateDir), {instanceOf: SettingsInvalidError});

	t.regex(error.message, /environment\.json is damaged/);
	t.notRegex(error.message, /hunter2/);
});

test('commands inherit them, and they win over what the daemon inherits', t => {
	const file = new EnvironmentFile(makeTempDir(t));
	const host = file.extend({
		environment: () =>
			new Map([
				['A', 'host'],
				['B', 'host'],
			]),
		problemWithDirectory: path => path,
	});

	file.replace(new Map([['A', 'set']]));

	t.deepEqual(
		[...host.environment()],
		[
			['A', 'set'],
			['B', 'host'],
		],
	);
	t.is(host.problemWithDirectory('/x'), '/x');
});

test('variables can be replaced, merged and cleared', async t => {
	const {ask, log} = await openServer(t);
	const answers = [];
	for (const [method, body] of [
		['PUT', {env_vars: {A: '1', B: '2'}}],
		['PATCH', {env_vars: {B: '3', C: 'hunter2'}}],
		['PATCH', {env_vars: {D: '4'}, merge: false}],
		['GET', undefined],
		['DELETE', undefined],
		['GET', undefined],
	] as const) {
		answers.push((await ask(method, '/env', {body})).json['env_vars']);
	}

	t.deepEqual(answers, [{A: '1', B: '2'}, {A: '1', B: '3', C: 'hunter2'}, {D: '4'}, {D: '4'}, {}, {}]);
	t.notRegex(log.join(''), /hunter2/);
});

const refuses = test.macro(async (t, body: unknown, field: string | undefined, message: RegExp) => {
	const {ask} = await openServer(t, {}, {maxBodyBytes: 1_000_000});

	const {status, json} = await ask('PUT', '/env', {body});

	t.is(status, 400);
	t.is(json['field'], field);
	t.regex(String(json['message']), message);
	t.notRegex(String(json['message']), /hunter2|4711/);
	t.deepEqual((await ask('GET', '/env')).json, {env_vars: {}});
});

test('refuses no body', refuses, undefined, undefined, /^The body is missing/);
test('refuses no variables', refuses, {}, 'env_vars', /env_vars is missing/);
test('refuses what is no object', refuses, {env_vars: 'hunter2'}, 'env_vars', /object of strings/);
test('refuses a value that is no text', refuses, {env_vars: {A: 4711}}, 'env_vars.A', /must be a string/);
test('refuses a name that is none', refuses, {env_vars: {'A=B': ''}}, 'env_vars.A=B', /no name for a variable/);
test('refuses a NUL', refuses, {env_vars: {A: 'hunter2\0'}}, 'env_vars.A', /NUL/);
test('refuses our own', refuses, {env_vars: {NOHUPD_PROCESS_ID: '1'}}, 'env_vars.NOHUPD_PROCESS_ID', /reserved/);
test('refuses another field', refuses, {env_vars: {}, merge: true}, 'merge', /not a known field/);
test('refuses too many', refuses, {env_vars: {A: 'x'.repeat(70_000), B: 'x'.repeat(70_000)}}, 'env_vars', /at most/);

test('a FIFO that a command put in its place holds nobody up', t => {
	const stateDir = makeTempDir(t);
	execFileSync('mkfifo', [join(stateDir, 'environment.json')]);

	t.throws(() => new EnvironmentFile(stateDir), {message: /is damaged/});
});
