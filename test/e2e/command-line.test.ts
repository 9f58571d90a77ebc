import {randomBytes} from 'node:crypto';
import {once} from 'node:events';
import {existsSync, openSync, readdirSync, readFileSync, readlinkSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {join} from 'node:path';
import anyTest, {type ExecutionContext} from 'ava';
import {type Outcome, runLine, startLine} from '../helpers/command-line.js';
import {TestDaemon} from '../helpers/daemon.js';
import {eventually} from '../helpers/eventually.js';
import {makeStateDir} from '../helpers/state-dir.js';
import {makeTempDir} from '../helpers/temp-dir.js';

/** One after the other: each starts a daemon and several clients. */
const test = anyTest.serial;

interface Place {
	readonly stateDir: string;
	readonly daemon: TestDaemon;
	/** Runs `nohupd` with these words. */
	nohupd(...words: string[]): Promise<Outcome>;
}

async function openPlace(t: ExecutionContext): Promise<Place> {
	const stateDir = makeStateDir(t);
	const daemon = await TestDaemon.open(t, stateDir);
	return {stateDir, daemon, nohupd: (...words) => runLine(t, stateDir, words)};
}

const lines = ({stdout}: Outcome) => stdout.toString().trimEnd().split('\n');

test('run prints the id, ps shows it, kill ends it by its name', async t => {
	const {nohupd} = await openPlace(t);

	const started = await nohupd('run', '--name', 'server', '--', 'sleep 600');
	const listed = await nohupd('ps');
	const killed = await nohupd('kill', 'server', '--grace-period', '0.5');
	const json = await nohupd('ps', '--json', '--name', 'server');

	const [id = ''] = lines(started);
	t.regex(id, /^proc_[0-9a-f]{32}$/);
	t.is(started.code, 0);
	t.regex(lines(listed)[1] ?? '', new RegExp(`^${id}  server  running  .*  sleep 600$`));
	t.regex(lines(killed)[0] ?? '', new RegExp(`^Process ${id} was killed`));
	const [shown] = JSON.parse(json.stdout.toString());
	t.like(shown, {process_id: id, name: 'server', status: 'killed', reason: 'request', command: 'sleep 600'});
	t.false('stdout' in shown);
	t.deepEqual([started.stderr, listed.stderr, killed.stderr, json.stderr], ['', '', '', '']);
});

test('one word is a line for bash, several are a program and its arguments', async t => {
	const {nohupd} = await openPlace(t);

	const line = await nohupd('run', '--follow', 'x=1; echo "$x $((x + 1))"');
	const words = await nohupd('run', '--follow', 'printf', '%s|', 'a b', '$HOME', '--name', '-n');

	t.is(line.stdout.toString(), '1 2\n');
	t.is(words.stdout.toString(), 'a b|$HOME|--name|-n|');
});

test('a command runs where it was started from, with the variables that it was given', async t => {
	const {stateDir} = await openPlace(t);
	const cwd = makeTempDir(t);
	const flags = ['--env', 'A=x=y', '--env', 'B', '--follow'];
	const here = await runLine(t, stateDir, ['run', ...flags, '--', 'pwd; echo "$A $B"'], {cwd, env: {B: 'from here'}});
	const there = await runLine(t, stateDir, ['run', '--cwd', '..', '--follow', 'pwd'], {cwd});
	const missing = await runLine(t, stateDir, ['run', '--env', 'C', 'true']);
	const nameless = await runLine(t, stateDir, ['run', '--env', '=x', 'true']);

	t.is(here.stdout.toString(), `${cwd}\nx=y from here\n`);
	t.is(there.stdout.toString(), `${join(cwd, '..')}\n`);
	t.like(missing, {code: 125, stderr: '--env C: no such variable here; give it a value with =\n'});
	t.like(nameless, {code: 125, stderr: '--env =x: a name must stand before =\n'});
});

/** Whether a process has a connection to a port of this machine (proc_pid_net(5), tcp). */
function isConnected(pid: number, port: string): boolean {
	const suffix = `:${Number(port).toString(16).toUpperCase().padStart(4, '0')}`;
	const established = '01';
	const inodes = readFileSync('/proc/net/tcp', 'utf8')
		.split('\n')
		.map(line => line.trim().split(/\s+/))
		.filter(([, , remote, state]) => remote?.endsWith(suffix) && state === established)
		.map(fields => `socket:[${fields[9]}]`);
	const open = readdirSync(`/proc/${pid}/fd`).map(name => readlinkSync(`/proc/${pid}/fd/${name}`));
	return open.some(target => inodes.includes(target));
}

const endsWith = anyTest.macro(async (t, words: string[], code: number, stderr: RegExp) => {
	const {nohupd} = await openPlace(t);

	const waited = await nohupd('run', '--wait', ...words);
	const [id = ''] = lines(waited);
	const again = await nohupd('wait', id.slice(0, 20));

	t.is(waited.code, code);
	t.regex(waited.stderr, stderr);
	t.like(again, {code, stderr: waited.stderr});
});

test('run --wait ends with the exit code of the command', endsWith, ['exit 3'], 3, /^$/);
test('also with 0', endsWith, ['true'], 0, /^$/);
test('with 127 for a program that is not there', endsWith, ['--', '/nowhere', 'x'], 127, /^$/);
test('with 124 for its timeout', endsWith, ['--timeout', '1s', 'sleep 600'], 124, /^proc_\w+ was .* timeout of 1 s\n$/);
test('with 128 and the signal', endsWith, ['kill -KILL $$'], 137, /^proc_\w+ was ended by SIGKILL\n$/);

const failsWith = anyTest.macro(async (t, words: string[], code: number, stderr: RegExp) => {
	const {nohupd} = await openPlace(t);

	const outcome = await nohupd(...words);

	t.like(outcome, {code, signal: null});
	t.is(outcome.stdout.length, 0);
	t.regex(outcome.stderr, stderr);
});

test('what the daemon refuses is told', failsWith, ['run', '--cwd', '/nowhere', 'true'], 125, /^working_dir .*nowhere/);
test('a wrong flag of run is no exit code of a command', failsWith, ['run', '--oops', 'true'], 125, /--oops/);
test('a wrong time', failsWith, ['run', '--timeout', 'soon', 'true'], 125, /^--timeout must be .*; got "soon"\n$/);
test('waiting for nobody', failsWith, ['wait', 'nobody'], 125, /^No process has the name.* "nobody"\n$/);
test('killing nobody', failsWith, ['kill', 'nobody'], 1, /^No process has the name.* "nobody"\n$/);
test('a whole id that nobody has', failsWith, ['logs', `proc_${'0'.repeat(32)}`], 1, /^No process with id proc_0+\n$/);

test('run stays until the command is ready, where it says by what that is seen', async t => {
	const {daemon, nohupd} = await openPlace(t);
	const flags = ['--stdin', '--leftover', 'kill', '--ready', 'listening'];

	const ready = await nohupd('run', ...flags, '--', 'echo listening; cat');
	const ended = await nohupd('run', '--ready', '65000', '--', 'true');
	const [id = ''] = lines(ready);

	t.like(ready, {code: 0, stderr: ''});
	t.like(await daemon.get(id), {status: 'running', stdin: true, ready: {log: 'listening'}, stdout: 'listening\n'});
	t.is(ended.code, 125);
	t.regex(ended.stderr, /^proc_\w+ has ended before it was ready: /);
	t.like(await daemon.get(lines(ended)[0] ?? ''), {ready: {port: 65_000}});
	await daemon.kill(id);
});

test('a wait can be given up: the process runs on', async t => {
	const {daemon, nohupd} = await openPlace(t);
	const {process_id: id} = await daemon.start({command: 'sleep 600', name: 'long'});

	t.like(await nohupd('wait', '--timeout', '1s', 'long'), {
		code: 125,
		stderr: `${id} has not ended within 1 s; it runs on\n`,
	});

	t.is((await daemon.get(id)).status, 'running');
	await daemon.kill(id);
});

test('who interrupts a run is told that the command runs on, also in a log', async t => {
	const {stateDir, daemon} = await openPlace(t);
	for (const flag of ['--wait', '--follow']) {
		const run = startLine(t, stateDir, ['run', flag, '--', 'echo begun; sleep 600']);
		const running = await eventually(
			() => daemon.list('?status=running'),
			([process]) => process?.stdout === 'begun\n',
		);
		const id = running[0]?.process_id ?? '';
		await eventually(() => run.stdout() !== '');

		run.child.kill('SIGINT');

		t.like(await run.ended, {
			signal: 'SIGINT',
			stderr: `${id} runs on: see it with "nohupd logs -f", end it with "nohupd kill"\n`,
		});
		await daemon.kill(id);
	}
});

test('without a daemon a sentence says so', async t => {
	const stateDir = makeStateDir(t);
	const sentence = `No daemon runs on the state directory ${stateDir}: start one (nohupd serve), or name another with --state-dir or --url\n`;

	t.like(await runLine(t, stateDir, ['ps']), {code: 1, stderr: sentence});
	t.like(await runLine(t, stateDir, ['run', 'true']), {code: 125, stderr: sentence});
});

test('a daemon is found as long as it is there, whatever its port and however the last one ended', async t => {
	const {stateDir, daemon, nohupd} = await openPlace(t);
	t.is((await nohupd('ps')).code, 0);

	await daemon.end('SIGKILL');
	t.true(existsSync(join(stateDir, 'address')));
	t.regex((await nohupd('ps')).stderr, /^No daemon runs/);

	const next = await TestDaemon.open(t, stateDir);
	t.is((await nohupd('ps')).code, 0);

	await next.end('SIGTERM');
	t.false(existsSync(join(stateDir, 'address')));
});

test('a URL and a token open a daemon elsewhere', async t => {
	const {stateDir, daemon, nohupd} = await openPlace(t);
	const token = (await nohupd('token')).stdout.toString().trim();
	const elsewhere = makeTempDir(t);
	const ask = (...words: string[]) => runLine(t, elsewhere, words, {cwd: elsewhere, env: {NOHUPD_TOKEN: token}});

	const started = await ask('run', '--url', daemon.url, '--follow', 'pwd');
	const flag = await runLine(t, elsewhere, ['ps', '--url', daemon.url, '--token', token]);
	const wrong = await runLine(t, stateDir, ['ps', '--url', daemon.url, '--token', 'wrong']);

	t.is(started.code, 0);
	t.not(started.stdout.toString().trim(), elsewhere);
	t.is(lines(flag).length, 2);
	t.is(wrong.code, 1);
	t.regex(wrong.stderr, /takes other tokens; give one with NOHUPD_TOKEN or --token\n$/);
});

test('logs are the bytes that were written', async t => {
	const {stateDir, nohupd} = await openPlace(t);
	const bytes = randomBytes(100_000);
	const file = join(makeTempDir(t), 'bytes');
	writeFileSync(file, bytes);

	const followed = await nohupd('run', '--name', 'bytes', '--follow', '--', `cat ${file}; cat ${file} ${file} >&2`);
	const stdout = await nohupd('logs', 'bytes');
	const stderr = await nohupd('logs', 'bytes', '--stderr');
	const stderrFollowed = await nohupd('logs', '-f', '--stderr', 'bytes', '--state-dir', stateDir);

	t.is(Buffer.compare(followed.stdout, bytes), 0);
	t.is(Buffer.compare(stdout.stdout, bytes), 0);
	t.is(Buffer.compare(stderr.stdout, Buffer.concat([bytes, bytes])), 0);
	t.is(Buffer.compare(stderrFollowed.stdout, Buffer.concat([bytes, bytes])), 0);
});

test('a follow and a wait go on over a daemon that is killed, and every line comes once', async t => {
	const {stateDir, daemon, nohupd} = await openPlace(t);
	const go = join(makeTempDir(t), 'go');
	const command = `for i in 1 2 3; do echo $i; done; until [[ -e ${go} ]]; do sleep 0.05; done; echo 4; exit 5`;
	const [id = ''] = lines(await nohupd('run', '--name', 'slow', '--', command));
	const follow = startLine(t, stateDir, ['logs', '-f', 'slow']);
	const wait = startLine(t, stateDir, ['wait', id]);
	await eventually(() => follow.stdout() === '1\n2\n3\n');
	await eventually(() => isConnected(wait.child.pid ?? 0, new URL(daemon.url).port));

	await daemon.end('SIGKILL');
	writeFileSync(go, '');
	await TestDaemon.open(t, stateDir);

	const [followed, waited] = await Promise.all([follow.ended, wait.ended]);
	t.is(followed.stdout.toString(), '1\n2\n3\n4\n');
	t.like(followed, {code: 0, stderr: ''});
	t.like(waited, {code: 5, stderr: ''});
});

test('a signal reaches the command, with SIG before its name or not', async t => {
	const {nohupd} = await openPlace(t);
	await nohupd('run', '--name', 'trap', '--', 'trap "echo hup" HUP; echo ready; while :; do sleep 0.05; done');
	await eventually(async () => (await nohupd('logs', 'trap')).stdout.toString() === 'ready\n');

	const {stdout} = await nohupd('signal', 'trap', 'hup');

	t.regex(stdout.toString(), /^SIGHUP was sent/);
	await eventually(async () => (await nohupd('logs', 'trap')).stdout.toString() === 'ready\nhup\n');
	await nohupd('kill', 'trap');
});

test('a name of two processes is told with both of them, and ends none', async t => {
	const {daemon, nohupd} = await openPlace(t);
	await daemon.start({command: 'sleep 600', name: 'twin'});
	await daemon.start({command: 'sleep 600', name: 'twin'});

	const {code, stderr} = await nohupd('kill', 'twin');

	t.is(code, 1);
	t.regex(
		stderr,
		/^"twin" can be one of several processes; give the id of one:\n( {2}proc_\w+ {2}running {2}twin\n){2}$/,
	);
	const running = await daemon.list('?status=running');
	t.is(running.length, 2);
	t.is((await nohupd('kill', ...running.map(({process_id: id}) => id))).code, 0);
});

test('events are told as they happen, and as JSON for programs', async t => {
	const {stateDir, nohupd} = await openPlace(t);
	await nohupd('run', '--name', 'first', '--wait', 'exit 3');
	const text = startLine(t, stateDir, ['events', '--after', '0']);
	const json = startLine(t, stateDir, ['events', '--after', '0', '--json']);
	await eventually(() => [text, json].every(({stdout}) => /first/.test(stdout())));

	const [id = ''] = lines(await nohupd('run', '--name', 'second', '--wait', 'true'));

	const ends = () =>
		json
			.stdout()
			.split('\n')
			.slice(0, -1)
			.map(line => JSON.parse(line))
			.filter(({type}) => type === 'ended');
	await eventually(() => ends().length === 2);
	t.like(ends()[1], {type: 'ended', process: {process_id: id, name: 'second', exit_code: 0}});
	await eventually(() => new RegExp(`^2\\S+Z  ended {6}${id}  completed  second$`, 'm').test(text.stdout()));
	t.regex(text.stdout(), /ended {6}proc_\w+ {2}failed 3 {2}first$/m);
});

test('what has ended can be forgotten, what runs cannot', async t => {
	const {daemon, nohupd} = await openPlace(t);
	await nohupd('run', '--name', 'ended', '--wait', 'true');
	const {process_id: id} = await daemon.start({command: 'sleep 600', name: 'running'});

	const forgotten = await nohupd('forget', 'ended');
	const refused = await nohupd('forget', 'running');

	t.regex(forgotten.stdout.toString(), /^proc_\w+ is forgotten\n$/);
	t.like(refused, {code: 1, stderr: `Process ${id} has not ended: kill it first\n`});
	t.deepEqual(
		(await daemon.list()).map(({name}) => name),
		['running'],
	);
	await daemon.kill(id);
});

test('a reader that leaves ends a follow quietly, and nothing else', async t => {
	const {stateDir, nohupd} = await openPlace(t);
	await nohupd('run', '--name', 'yes', '--', 'while :; do echo y; sleep 0.01; done');
	const follow = startLine(t, stateDir, ['logs', '-f', 'yes']);
	await eventually(() => follow.stdout() !== '');

	follow.child.stdout?.destroy();

	t.like(await follow.ended, {code: 141, stderr: ''});
	t.regex((await nohupd('kill', 'yes')).stdout.toString(), /was killed/);
});

test('output that cannot be written is told, and no success', async t => {
	const {stateDir, nohupd} = await openPlace(t);
	await nohupd('run', '--name', 'talker', '--wait', '--', 'echo hello');

	for (const [code, ...words] of [
		[1, 'logs', 'talker'],
		[1, 'logs', '-f', 'talker'],
		[1, 'ps'],
		[1, 'ps', '--json'],
		[1, 'token'],
		[1, 'doctor'],
		[125, 'run', '--follow', 'echo hello'],
	] as const) {
		const outcome = await runLine(t, stateDir, words, {stdout: openSync('/dev/full', 'w')});

		t.is(outcome.code, code, words.join(' '));
		t.regex(outcome.stderr, /^Standard output cannot be written: .*ENOSPC.*\n$/);
	}
});

test('the doctor says what is there, and that the daemon answers', async t => {
	const {nohupd} = await openPlace(t);

	const {code, stdout} = await nohupd('doctor');

	t.is(code, 0);
	t.regex(stdout.toString(), /^ok +bash +\/.*\/bash$/m);
	t.regex(stdout.toString(), /^ok +daemon +answers, version/m);
});

test('the doctor tells what a daemon elsewhere warns of, and of none that is there', async t => {
	const stateDir = makeStateDir(t);
	const warning = 'nohupd.service has KillMode=control-group\u001b[2J';
	const server = createServer((_, response) => {
		response.end(JSON.stringify({status: 'ok', version: '9', containment: 'cgroup', warnings: [warning]}));
	}).listen(0, '127.0.0.1');
	t.teardown(() => server.close());
	await once(server, 'listening');
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

	const elsewhere = await runLine(t, stateDir, ['doctor', '--url', url, '--token', 'x']);
	const nowhere = await runLine(t, stateDir, ['doctor']);

	t.deepEqual(lines(elsewhere), [
		'ok       daemon  answers, version 9, holds processes by cgroup',
		'warning  daemon  nohupd.service has KillMode=control-group\\x1b[2J',
	]);
	t.regex(nowhere.stdout.toString(), /^warning +daemon +No daemon runs/m);
	t.is(nowhere.code, 0);
});

test('only the daemon and the doctor pay for SQLite', async t => {
	const {stateDir, nohupd} = await openPlace(t);
	// Tells at its end what it has loaded.
	const hook = 'process.on("exit", () => console.error(process.report.getReport().sharedObjects.join("\\n")))';
	const env = {NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hook)}`};
	await nohupd('run', '--name', 'quick', '--wait', 'true');

	for (const words of [['token'], ['ps'], ['logs', '-f', 'quick'], ['run', 'true'], ['--help']]) {
		const {code, stderr} = await runLine(t, stateDir, words, {env});

		t.is(code, 0);
		t.regex(stderr, /libc\.|musl/);
		t.false(stderr.includes('better_sqlite3'), words.join(' '));
	}

	t.true((await runLine(t, stateDir, ['doctor'], {env})).stderr.includes('better_sqlite3'));
});
