import {spawnSync} from 'node:child_process';
import {mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {EmbeddingHost} from '../../../lib/os/host.js';
import {makeTempDir} from '../../helpers/temp-dir.js';

const host = new EmbeddingHost();

/** What a command inherits where the agent has this environment. */
function inherited(environment: Readonly<Record<string, string>>): Record<string, string> {
	const before = {...process.env};
	Object.assign(process.env, environment);
	try {
		const all = host.environment();
		return Object.fromEntries(
			Object.keys(environment).flatMap(name => (all.has(name) ? [[name, all.get(name) ?? '']] : [])),
		);
	} finally {
		for (const name of Object.keys(environment)) {
			delete process.env[name];
		}

		Object.assign(process.env, before);
	}
}

test('a command inherits the environment of the agent', t => {
	const environment = {PATH: '/bin', LANG: 'C', EMPTY: '', 'A.B': 'x', UID: '0', LINES: 'a\nb'};

	t.deepEqual(inherited(environment), environment);
});

test('what systemd gave to the agent alone, no command inherits', t => {
	const left = inherited({
		NOTIFY_SOCKET: '/run/notify',
		LISTEN_PID: '1',
		LISTEN_FDS: '1',
		LISTEN_FDNAMES: 'http',
		LISTEN_PIDFDID: '1',
		WATCHDOG_PID: '1',
		WATCHDOG_USEC: '1000000',
		CREDENTIALS_DIRECTORY: '/run/credentials',
	});

	t.deepEqual(left, {});
});

test('no setting of our own is inherited, the key among them', t => {
	const left = inherited({
		NOHUPD_JWT_SECRET: 'hunter2',
		NOHUPD_PORT: '7777',
		NOHUPD_STATE_DIR: '/state',
		NOHUPD_PROCESS_ID: 'proc_outer',
	});

	t.deepEqual(left, {});
});

test('what is only similar is inherited', t => {
	const environment = {
		MY_NOTIFY_SOCKET: '1',
		NOTIFY_SOCKETS: '2',
		LISTENER: '3',
		LISTEN_PORT: '3000',
		LISTEN_ADDRESS: '::',
		WATCHDOG: '4',
		NOHUP: '5',
		nohupd_port: '6',
	};

	t.deepEqual(inherited(environment), environment);
});

test('where the agent stands is not where the command stands', t => {
	t.deepEqual(inherited({PWD: '/agent', OLDPWD: '/before', SHLVL: '7', _: '/usr/bin/node'}), {});
});

test('a command may run in a directory, also through a link', t => {
	const directory = makeTempDir(t);
	symlinkSync(directory, join(directory, 'link'));

	t.is(host.problemWithDirectory(directory), null);
	t.is(host.problemWithDirectory(join(directory, 'link')), null);
});

test('what is wrong with a directory ends a sentence', t => {
	const directory = makeTempDir(t);
	writeFileSync(join(directory, 'file'), '');
	symlinkSync('loop', join(directory, 'loop'));
	symlinkSync('nowhere', join(directory, 'dangling'));

	const problems = ['missing', 'file', 'file/below', 'loop', 'dangling', 'x'.repeat(300), 'a\0b'].map(name =>
		host.problemWithDirectory(join(directory, name)),
	);

	t.deepEqual(problems, [
		'does not exist',
		'is not a directory',
		'is not a directory',
		'is a loop of links',
		'does not exist',
		'is too long',
		'cannot be used',
	]);
});

test('a directory that may not be entered is no place for a command', t => {
	const directory = makeTempDir(t);
	mkdirSync(join(directory, 'closed'), {mode: 0o000});
	const program = `
		const {EmbeddingHost} = await import(${JSON.stringify(new URL('../../../lib/os/host.js', import.meta.url))});
		process.stdout.write(String(new EmbeddingHost().problemWithDirectory(process.argv[1])));
	`;

	// Root may enter everything, so somebody else asks.
	const {stdout} = spawnSync(process.execPath, ['--input-type=module', '-e', program, join(directory, 'closed')], {
		encoding: 'utf8',
		cwd: '/',
		...(process.geteuid?.() === 0 ? {uid: 65_534, gid: 65_534} : {}),
	});

	t.is(stdout, 'may not be entered');
});
