import {type ChildProcess, spawn, spawnSync} from 'node:child_process';
import {randomUUID} from 'node:crypto';
import {once} from 'node:events';
import {readFileSync, writeFileSync} from 'node:fs';
import {basename, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import type {Report} from '../../../lib/index.js';
import {findPrograms} from '../../../lib/keeper/programs.js';
import {RunDirectories} from '../../../lib/keeper/run-directory.js';
import {specify} from '../../../lib/keeper/specification.js';
import {isPopulated, listMembers} from '../../../lib/os/cgroup.js';
import {SystemClock} from '../../../lib/os/system-clock.js';
import type {Command} from '../../../lib/process.js';
import {aQueuedProcess, aStop} from '../../helpers/a-process.js';
import {makeTestCgroup, testWithCgroup} from '../../helpers/cgroups.js';
import {eventually} from '../../helpers/eventually.js';
import {findProcesses, isAlive, killQuietly, readProc} from '../../helpers/processes.js';
import {makeStateDir} from '../../helpers/state-dir.js';

const script = fileURLToPath(new URL('../../../../lib/keeper/keeper.sh', import.meta.url));
const programs = findPrograms();

const hasShellcheck = spawnSync('shellcheck', ['--version']).error === undefined;
const withShellcheck = hasShellcheck ? test : test.skip;

withShellcheck(`shellcheck finds nothing in keeper.sh${hasShellcheck ? '' : ' (shellcheck is not installed)'}`, t => {
	const {stdout, status} = spawnSync('shellcheck', ['--shell=bash', script], {encoding: 'utf8'});

	t.deepEqual({stdout, status}, {stdout: '', status: 0});
});

/** The files of processes, and keepers that are driven by hand. */
class Bench {
	readonly stateDir: string;
	readonly directories: RunDirectories;

	constructor(private readonly t: ExecutionContext) {
		this.stateDir = makeStateDir(t);
		this.directories = new RunDirectories(this.stateDir);
	}

	/** Writes all that a shim needs, and gives the id: one of its own, since processes are found by it. */
	prepare(line: string, command: Partial<Command> = {}, env: Record<string, string> = {}, cgroup = ''): string {
		const processId = `proc_${randomUUID().replaceAll('-', '')}`;
		const {sequence, ...process} = aQueuedProcess({
			processId,
			cgroup: cgroup === '' ? null : cgroup,
			command: {line, workingDir: '/', timeoutMs: 0, ...command},
		});
		const specification = specify(process, new Map(Object.entries({PATH: '/usr/bin:/bin', ...env})), {
			linePath: this.directories.linePath(processId),
			gracePeriodMs: 100,
			programs,
		});
		this.directories.create(processId, specification);
		return processId;
	}

	/** As version 1 wrote it down. */
	makeOlder(processId: string): void {
		const older = this.read(processId, 'spec').replace(/^# nohupd 2 (\d+ \d+) keep/, '# nohupd 1 $1');
		writeFileSync(this.path(processId, 'spec'), older);
	}

	openKeeper(): ChildProcess {
		const keeper = spawn(programs.bash, ['--noprofile', '--norc', script, this.stateDir], {
			detached: true,
			env: {},
			// A fourth one, such as an agent may leave open: no command is to have it.
			stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
		});
		this.t.teardown(() => killQuietly(keeper.pid ?? 0));
		return keeper;
	}

	path(processId: string, file = ''): string {
		return join(this.stateDir, 'runs', processId, file);
	}

	read(processId: string, file: string): string {
		return readFileSync(this.path(processId, file), 'utf8');
	}

	async started(processId: string): Promise<NonNullable<Report['start']>> {
		const {start} = await eventually(
			() => this.directories.readRecord(processId),
			({start}) => start !== null,
		);
		return start ?? this.t.fail();
	}

	async ended(processId: string): Promise<NonNullable<Report['end']>> {
		const {end} = await eventually(
			() => this.directories.readRecord(processId),
			({end}) => end !== null,
		);
		return end ?? this.t.fail();
	}

	/** Ends a command that the test let run, with all that carries its cookie. */
	async kill(processId: string): Promise<void> {
		await eventually(() => {
			const found = findProcesses(`NOHUPD_PROCESS_ID=${processId}`);
			found.forEach(killQuietly);
			return found.length === 0;
		});
	}
}

function hand(keeper: ChildProcess, ...processIds: string[]): void {
	keeper.stdin?.write(processIds.map(processId => `${processId}\n`).join(''));
}

test('a command runs in its directory, and its record tells of start and end', async t => {
	const bench = new Bench(t);
	const a = bench.prepare('pwd; echo err >&2; exit 7', {workingDir: '/usr'});
	const before = Date.now();

	hand(bench.openKeeper(), a);
	const end = await bench.ended(a);
	const start = await bench.started(a);

	t.is(end.exitCode, 7);
	t.deepEqual([bench.read(a, 'stdout'), bench.read(a, 'stderr')], ['/usr\n', 'err\n']);
	t.true(before <= start.startedAt && start.startedAt <= end.endedAt && end.endedAt <= Date.now());
	t.true(end.durationMs !== null && end.durationMs < 20_000);
});

test('the record names the process that runs, and the shim that waits for it', async t => {
	const bench = new Bench(t);
	const a = bench.prepare('exec sleep 60');

	hand(bench.openKeeper(), a);
	const {identity, shimPid} = await bench.started(a);
	const found = await eventually(
		() => findProcesses(`NOHUPD_PROCESS_ID=${a}`),
		pids => pids.length > 0,
	);

	t.deepEqual(found, [identity.pid]);
	t.true(readProc(shimPid, 'cmdline').includes(bench.stateDir));
	await bench.kill(a);
	t.is((await bench.ended(a)).exitCode, 137);
});

test('an id that is given twice runs once', async t => {
	const bench = new Bench(t);
	const a = bench.prepare('echo ran');
	const b = bench.prepare('true');

	const keeper = bench.openKeeper();
	hand(keeper, a, a, a);
	await bench.ended(a);
	hand(keeper, a, b);
	await bench.ended(b);
	keeper.stdin?.end();
	await eventually(() => findProcesses(bench.stateDir, 'cmdline').length === 0);

	t.is(bench.read(a, 'stdout'), 'ran\n');
});

test('an id that two keepers are given runs once', async t => {
	const bench = new Bench(t);
	const ids = Array.from({length: 20}, () => bench.prepare('echo ran'));

	const keepers = [bench.openKeeper(), bench.openKeeper()];
	for (const keeper of keepers) {
		hand(keeper, ...ids);
		keeper.stdin?.end();
	}

	await Promise.all(ids.map(id => bench.ended(id)));
	await eventually(() => findProcesses(bench.stateDir, 'cmdline').length === 0);

	t.deepEqual(
		ids.map(id => bench.read(id, 'stdout')),
		ids.map(() => 'ran\n'),
	);
});

test('a shim that comes second to the claim stops, and touches nothing', async t => {
	const bench = new Bench(t);
	const a = bench.prepare('echo ran');
	const b = bench.prepare('true');
	bench.directories.takeClaim(a);

	const keeper = bench.openKeeper();
	hand(keeper, a, b);
	keeper.stdin?.end();
	await bench.ended(b);
	await eventually(() => findProcesses(bench.stateDir, 'cmdline').length === 0);

	t.deepEqual(bench.directories.readRecord(a), {start: null, end: null, stop: null, leftoverStop: null});
	t.throws(() => bench.read(a, 'stdout'), {code: 'ENOENT'});
});

test('a line that is no id of a process harms nobody', async t => {
	const bench = new Bench(t);
	const a = bench.prepare('exit 0');

	hand(bench.openKeeper(), '', 'proc_unknown', '../../etc', '$(exit)', a);

	t.is((await bench.ended(a)).exitCode, 0);
});

test('the command has a group of its own, every signal at its default, and nothing open above 2', async t => {
	const bench = new Bench(t);
	const a = bench.prepare(
		'readlink /proc/$$/fd/0; ls /proc/$$/fd; grep -E "^(SigIgn|SigBlk)" /proc/self/status; cut -d" " -f5 /proc/$$/stat; umask',
	);

	hand(bench.openKeeper(), a);
	await bench.ended(a);
	const {identity} = await bench.started(a);

	t.deepEqual(bench.read(a, 'stdout').split('\n'), [
		'/dev/null',
		...['0', '1', '2'],
		'SigBlk:\t0000000000000000',
		'SigIgn:\t0000000000000000',
		String(identity.pid),
		process.umask().toString(8).padStart(4, '0'),
		'',
	]);
});

test('the command finds its own environment, whatever the shim calls its variables', async t => {
	const bench = new Bench(t);
	const names = [...new Set(readFileSync(script, 'utf8').match(/\b[a-z_]+(?==)/g))];
	const env = Object.fromEntries(
		[...names, 'record', 'child', 'code', 'IFS', 'LC_ALL'].map(name => [name, `of ${name}`]),
	);
	const a = bench.prepare(programs.env, {args: ['-0']}, env);

	hand(bench.openKeeper(), a);
	const {exitCode} = await bench.ended(a);
	const entries = bench.read(a, 'stdout').split('\0').slice(0, -1);

	t.is(exitCode, 0);
	t.deepEqual(
		entries.filter(entry => !/^(_|PWD|SHLVL)=/.test(entry)).sort(),
		Object.entries({...env, PATH: '/usr/bin:/bin', NOHUPD_PROCESS_ID: a})
			.map(([name, value]) => `${name}=${value}`)
			.sort(),
	);
});

test('a command that cannot begin has no start, and says why', async t => {
	const bench = new Bench(t);
	const a = bench.prepare('echo ran', {workingDir: '/nowhere'});

	hand(bench.openKeeper(), a);
	const end = await bench.ended(a);

	t.like(end, {why: 'start_failed', exitCode: null});
	t.is(bench.directories.readRecord(a).start, null);
	t.regex(readFileSync(join(bench.stateDir, 'records', a), 'latin1'), /^ +\nE --- /);
	t.regex(bench.read(a, 'stderr'), /\/nowhere: No such file or directory/);
});

test('a program that is missing is named, and the exit code is that of a shell', async t => {
	const bench = new Bench(t);
	const a = bench.prepare('/no/such/program', {args: []});

	hand(bench.openKeeper(), a);

	t.is((await bench.ended(a)).exitCode, 127);
	t.regex(bench.read(a, 'stderr'), /\/no\/such\/program: No such file or directory/);
});

test('a command that is stopped has not ended', async t => {
	const bench = new Bench(t);
	const a = bench.prepare('echo $$; kill -STOP $$; exit 5');

	hand(bench.openKeeper(), a);
	const {identity, shimPid} = await bench.started(a);
	await eventually(() => readProc(identity.pid, 'stat').includes(') T '));

	t.true(isAlive(shimPid));
	t.is(bench.directories.readRecord(a).end, null);
	process.kill(identity.pid, 'SIGCONT');
	t.is((await bench.ended(a)).exitCode, 5);
});

test('a keeper whose supervisor is gone leaves when no deadline is to be held', async t => {
	const bench = new Bench(t);
	const a = bench.prepare('exec sleep 60', {timeoutMs: 0});
	const keeper = bench.openKeeper();
	hand(keeper, a);
	const {identity} = await bench.started(a);

	keeper.stdin?.end();
	await once(keeper, 'exit');

	t.true(isAlive(identity.pid));
	await bench.kill(a);
	t.is((await bench.ended(a)).exitCode, 137);
});

test('a keeper whose supervisor is gone ends what is overdue, also who ignores SIGTERM, and then leaves', async t => {
	const bench = new Bench(t);
	const a = bench.prepare(
		`trap 'echo TERM' TERM; (trap '' TERM; exec setsid sleep 61) & while ((SECONDS < 60)); do wait; done`,
		{
			timeoutMs: 500,
		},
	);
	const b = bench.prepare('exit 3', {timeoutMs: 60_000});
	const keeper = bench.openKeeper();
	hand(keeper, a, b);
	await bench.started(a);
	await bench.ended(b);

	keeper.stdin?.end();
	await once(keeper, 'exit');
	const {exitCode} = await bench.ended(a);
	const {start, stop} = bench.directories.readRecord(a);

	t.is(exitCode, 137);
	t.is(bench.read(a, 'stdout'), 'TERM\n');
	t.deepEqual(findProcesses(`NOHUPD_PROCESS_ID=${a}`), []);
	t.true(Number(stop?.atUptimeMs) >= Number(start?.identity.startTicks) * 10 + 500);
});

test('a keeper whose supervisor is gone holds the deadline of what it was told last of all', async t => {
	const exitCodes = await Promise.all(
		Array.from({length: 5}, async () => {
			const bench = new Bench(t);
			const a = bench.prepare('exec sleep 61', {timeoutMs: 100});
			const keeper = bench.openKeeper();
			// Its shim takes the claim while it looks for the first time.
			hand(keeper, a);
			keeper.stdin?.end();
			await once(keeper, 'exit');
			return (await bench.ended(a)).exitCode;
		}),
	);

	t.deepEqual(exitCodes, [143, 143, 143, 143, 143]);
});

test('what a command left behind falls to its timeout as well; its own end stays as it was', async t => {
	const bench = new Bench(t);
	const a = bench.prepare(`trap '' TERM; sleep 61 & (setsid sleep 61 &); exit 3`, {timeoutMs: 600});
	const b = bench.prepare('setsid sleep 61 & exit 0', {timeoutMs: 60_000});
	const keeper = bench.openKeeper();
	hand(keeper, a, b);
	await Promise.all([bench.ended(a), bench.ended(b)]);

	keeper.stdin?.end();
	await eventually(() => findProcesses(`NOHUPD_PROCESS_ID=${a}`).length === 0);

	t.is(keeper.exitCode, null);
	t.is(findProcesses(`NOHUPD_PROCESS_ID=${b}`).length, 1);
	const {end, stop} = bench.directories.readRecord(a);
	t.deepEqual([end?.exitCode, stop], [3, null]);
	await bench.kill(b);
});

test('a keeper whose supervisor is gone does not stay for what has left nothing behind', async t => {
	const bench = new Bench(t);
	const ids = Array.from({length: 5}, (_, code) => bench.prepare(`exit ${code}`, {timeoutMs: 60_000}));
	const keeper = bench.openKeeper();
	hand(keeper, ...ids);
	await Promise.all(ids.map(id => bench.ended(id)));

	keeper.stdin?.end();

	t.deepEqual(await once(keeper, 'exit'), [0, null]);
});

test('a keeper whose supervisor is gone waits for the grace period of a kill, finishes it, and then leaves', async t => {
	const bench = new Bench(t);
	const a = bench.prepare(`trap 'echo TERM' TERM; while ((SECONDS < 60)); do read -t 60 <> <(:); done`);
	const keeper = bench.openKeeper();
	hand(keeper, a);
	await bench.started(a);
	const stop = {...aStop, atUptimeMs: new SystemClock().uptimeMs(), gracePeriodMs: 2500, isSignaled: true};
	bench.directories.orderStop(a, stop);

	keeper.stdin?.end();
	await once(keeper, 'exit');

	t.is((await bench.ended(a)).exitCode, 137);
	t.true(new SystemClock().uptimeMs() >= stop.atUptimeMs + stop.gracePeriodMs);
	t.is(bench.read(a, 'stdout'), '');
});

test('a keeper whose supervisor is gone sends the SIGTERM of a kill that had none, and is not needed when it was obeyed', async t => {
	const bench = new Bench(t);
	const a = bench.prepare('exec sleep 61');
	const keeper = bench.openKeeper();
	hand(keeper, a);
	await bench.started(a);
	bench.directories.orderStop(a, {...aStop, atUptimeMs: new SystemClock().uptimeMs(), gracePeriodMs: 3_600_000});

	keeper.stdin?.end();
	await once(keeper, 'exit');

	t.is((await bench.ended(a)).exitCode, 143);
	t.like(bench.directories.readRecord(a).stop, {why: 'request', isSignaled: true});
});

test('whatever a command writes into its files, a keeper holds the deadlines of all others', async t => {
	const bench = new Bench(t);
	const a = bench.prepare('exec sleep 61', {timeoutMs: 500});
	const orders = ['K 08', 'R x', 'r 099999999999999999999 9', 'K $(exit)', `R ${'9'.repeat(25)}`];
	const hostile = orders.map(() => bench.prepare('exec sleep 61', {timeoutMs: 60_000}));
	const graceless = bench.prepare('exec sleep 61', {timeoutMs: 60_000});
	const keeper = bench.openKeeper();
	hand(keeper, ...hostile, graceless, a);
	await Promise.all([...hostile, graceless, a].map(id => bench.started(id)));
	for (const [index, order] of [...orders, 'K 1'].entries()) {
		const path = join(bench.stateDir, 'records', hostile[index] ?? graceless);
		writeFileSync(path, `${readFileSync(path, 'latin1').slice(0, 100)}${order}\n`);
	}

	const spec = bench.read(graceless, 'spec');
	writeFileSync(bench.path(graceless, 'spec'), spec.replace(/^# nohupd 2 (\d+) \d+/, '# nohupd 2 $1 x[0]'));

	keeper.stdin?.end();

	t.is((await bench.ended(a)).exitCode, 143);
	await Promise.all([...hostile, graceless].map(id => bench.kill(id)));
});

test('a keeper does not wait for the end of what nobody can tell of any more', async t => {
	const bench = new Bench(t);
	const a = bench.prepare('exec sleep 61', {leftover: 'kill'});
	const keeper = bench.openKeeper();
	hand(keeper, a);
	const {identity, shimPid} = await bench.started(a);
	killQuietly(shimPid);
	killQuietly(identity.pid);

	keeper.stdin?.end();

	t.deepEqual(await once(keeper, 'exit'), [0, null]);
});

test('a keeper holds the deadline of what version 1 wrote down', async t => {
	const bench = new Bench(t);
	const a = bench.prepare('exec sleep 61', {timeoutMs: 500});
	bench.makeOlder(a);
	const keeper = bench.openKeeper();
	hand(keeper, a);

	keeper.stdin?.end();
	await once(keeper, 'exit');

	t.is((await bench.ended(a)).exitCode, 143);
});

testWithCgroup('a keeper holds the deadline of what version 1 wrote down, in its cgroup', async t => {
	const bench = new Bench(t);
	const cgroup = makeTestCgroup(t);
	const a = bench.prepare('(setsid env -i sleep 61 &); exec sleep 61', {timeoutMs: 500}, {}, cgroup);
	bench.makeOlder(a);
	const keeper = bench.openKeeper();
	hand(keeper, a);
	await eventually(() => listMembers(cgroup).length >= 2);

	keeper.stdin?.end();
	await once(keeper, 'exit');

	t.deepEqual([isPopulated(cgroup), listMembers(cgroup)], [false, []]);
});

testWithCgroup('a command is in its cgroup before its first instruction, and so is all that it starts', async t => {
	const bench = new Bench(t);
	const cgroup = makeTestCgroup(t);
	const a = bench.prepare('cat /proc/self/cgroup; setsid env -i cat /proc/self/cgroup', {}, {}, cgroup);

	hand(bench.openKeeper(), a);
	await bench.ended(a);

	const lines = bench
		.read(a, 'stdout')
		.split('\n')
		.filter(line => line.startsWith('0::'));
	t.deepEqual(
		lines.map(line => basename(line)),
		[basename(cgroup), basename(cgroup)],
	);
	await eventually(() => !isPopulated(cgroup));
});

testWithCgroup('a command whose cgroup is gone never starts, and says why', async t => {
	const bench = new Bench(t);
	const a = bench.prepare('echo ran', {}, {}, join(makeTestCgroup(t), 'gone'));

	hand(bench.openKeeper(), a);
	const end = await bench.ended(a);

	t.like(end, {why: 'start_failed', exitCode: null});
	t.is(bench.directories.readRecord(a).start, null);
	t.is(bench.read(a, 'stdout'), '');
	t.regex(bench.read(a, 'stderr'), /cgroup\.procs: No such file or directory/);
});

testWithCgroup(
	'a keeper whose supervisor is gone ends all in the cgroup of what is overdue, whatever it has shed',
	async t => {
		const bench = new Bench(t);
		const cgroup = makeTestCgroup(t);
		const a = bench.prepare(
			`trap 'echo TERM' TERM; (trap '' TERM; exec setsid env -i sleep 61) & while :; do wait; done`,
			{timeoutMs: 500},
			{},
			cgroup,
		);
		const keeper = bench.openKeeper();
		hand(keeper, a);
		await bench.started(a);
		await eventually(() => listMembers(cgroup).length >= 2);

		keeper.stdin?.end();
		await once(keeper, 'exit');
		const {exitCode} = await bench.ended(a);
		const {start, stop} = bench.directories.readRecord(a);

		t.is(exitCode, 137);
		t.is(bench.read(a, 'stdout'), 'TERM\n');
		t.deepEqual([isPopulated(cgroup), listMembers(cgroup)], [false, []]);
		t.true(Number(stop?.atUptimeMs) >= Number(start?.identity.startTicks) * 10 + 500);
	},
);

testWithCgroup('what a command left behind in its cgroup falls to its timeout, whatever it has shed', async t => {
	const bench = new Bench(t);
	const cgroup = makeTestCgroup(t);
	const a = bench.prepare(`trap '' TERM; (setsid env -i sleep 61 &); exit 3`, {timeoutMs: 600}, {}, cgroup);
	const keeper = bench.openKeeper();
	hand(keeper, a);
	await bench.ended(a);
	await eventually(() => listMembers(cgroup).length === 1);

	keeper.stdin?.end();
	await once(keeper, 'exit');

	t.deepEqual([isPopulated(cgroup), listMembers(cgroup)], [false, []]);
	const {end, stop} = bench.directories.readRecord(a);
	t.deepEqual([end?.exitCode, stop], [3, null]);
});

test('a keeper whose supervisor is gone makes way for the next one', async t => {
	const bench = new Bench(t);
	const a = bench.prepare('exec sleep 60', {timeoutMs: 60_000});
	const keeper = bench.openKeeper();
	hand(keeper, a);
	await bench.started(a);
	keeper.stdin?.end();

	writeFileSync(join(bench.stateDir, 'keeper'), '1 1 00000000\n');
	await once(keeper, 'exit');

	t.is(bench.directories.readRecord(a).end, null);
	await bench.kill(a);
	await bench.ended(a);
});

test('what the keeper writes itself is readable by nobody else', async t => {
	const bench = new Bench(t);
	const a = bench.prepare('true');

	hand(bench.openKeeper(), a);
	await bench.ended(a);

	const {stdout} = spawnSync('find', [bench.stateDir, '-perm', '/077'], {encoding: 'utf8'});
	t.is(stdout, '');
});
