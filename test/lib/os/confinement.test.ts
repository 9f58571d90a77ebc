import {execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {findPrograms} from '../../../lib/keeper/programs.js';
import {findOwnCgroup, listMembers, makeCgroup, removeCgroup} from '../../../lib/os/cgroup.js';
import {CgroupConfinement, findConfinement, SessionConfinement} from '../../../lib/os/confinement.js';
import {aQueuedProcess, aRunningProcess} from '../../helpers/a-process.js';
import {testWithCgroup} from '../../helpers/cgroups.js';
import {eventually} from '../../helpers/eventually.js';
import {killQuietly} from '../../helpers/processes.js';
import {RecordingLogger} from '../../helpers/recording-logger.js';
import {makeTempDir} from '../../helpers/temp-dir.js';
import {startTree} from '../../helpers/trees.js';

const programs = findPrograms();
const allLimits = {memoryBytes: 10_485_760, pids: 20, cpuPercent: 150};

/** A confinement below a directory that looks like a cgroup with these controllers. */
function openFake(t: ExecutionContext, controllers: string) {
	const base = join(makeTempDir(t), 'nohupd-0123456789ab');
	mkdirSync(base);
	writeFileSync(join(base, 'cgroup.subtree_control'), `${controllers}\n`);
	const logger = new RecordingLogger();
	return {base, logger, confinement: new CgroupConfinement(base, logger)};
}

/** The files of a leaf, with what was written into them. */
function filesOf(leaf: string | null): Record<string, string> {
	return Object.fromEntries(
		readdirSync(leaf ?? '')
			.toSorted()
			.map(name => [name, readFileSync(join(leaf ?? '', name), 'utf8')]),
	);
}

test('limits hold for which there is a controller', t => {
	const limits = ['cpu memory pids', 'memory', 'cpuset io', ''].map(controllers => [
		...openFake(t, controllers).confinement.limits,
	]);

	t.deepEqual(limits, [['memoryBytes', 'pids', 'cpuPercent'], ['memoryBytes'], [], []]);
});

test('limits are written into the files of the leaf before anything runs there', t => {
	const {base, confinement} = openFake(t, 'cpu memory pids');

	const leaf = confinement.prepare('proc_1', allLimits);

	t.is(leaf, join(base, 'proc_1'));
	t.deepEqual(filesOf(leaf), {'cpu.max': '150000 100000', 'memory.max': '10485760', 'pids.max': '20'});
});

test('what was not asked for is not limited', t => {
	const {confinement} = openFake(t, 'cpu memory pids');

	t.deepEqual(filesOf(confinement.prepare('proc_1', null)), {});
	t.deepEqual(filesOf(confinement.prepare('proc_2', {cpuPercent: 1})), {'cpu.max': '1000 100000'});
});

test('of limits as best effort those hold that can', t => {
	const {confinement} = openFake(t, 'pids');

	t.deepEqual(filesOf(confinement.prepare('proc_1', {...allLimits, bestEffort: true})), {'pids.max': '20'});
});

test('where no leaf can be made the process is held by session and cookie, and the log says so', t => {
	const {base, logger, confinement} = openFake(t, '');
	writeFileSync(join(base, 'proc_1'), 'in the way');

	t.is(confinement.prepare('proc_1', null), null);
	t.like(logger.entries, [{level: 'warn', facts: {processId: 'proc_1'}}]);
});

test('where a limit cannot be written no leaf is left', t => {
	const {base, logger, confinement} = openFake(t, 'pids');
	// A directory takes no text, whoever writes.
	mkdirSync(join(base, 'proc_1/pids.max'), {recursive: true});

	t.is(confinement.prepare('proc_1', {pids: 20}), null);
	t.false(existsSync(join(base, 'proc_1')));
	t.is(logger.entries.length, 1);
});

test('figures and usage are read from the leaf; what the kernel does not tell is null', t => {
	const {base, confinement} = openFake(t, '');
	const leaf = join(base, 'proc_1');
	mkdirSync(join(leaf, 'below'), {recursive: true});
	writeFileSync(join(leaf, 'cpu.stat'), 'usage_usec 1234567\nuser_usec 1000000\n');
	writeFileSync(join(leaf, 'cgroup.procs'), '7\n8\n');
	writeFileSync(join(leaf, 'below/cgroup.procs'), '9\n');
	const process = aRunningProcess({cgroup: leaf});

	const before = confinement.figures(process);
	writeFileSync(join(leaf, 'memory.current'), '4096\n');
	writeFileSync(join(leaf, 'memory.peak'), '8192\n');

	t.deepEqual(before, {cpuMs: 1235, memoryPeakBytes: null, memoryBytes: null, processes: 3});
	t.deepEqual(confinement.figures(process), {
		cpuMs: 1235,
		memoryPeakBytes: 8192,
		memoryBytes: 4096,
		processes: 3,
	});
	t.deepEqual(confinement.usage(leaf), {cpuMs: 1235, memoryPeakBytes: 8192});
	t.deepEqual(confinement.usage('/nowhere'), {cpuMs: null, memoryPeakBytes: null});
});

test('memory ran out when the kernel killed for it', t => {
	const {base, confinement} = openFake(t, '');
	const events = {none: 'oom 0\noom_kill 0\n', reclaimed: 'oom 2\noom_kill 0\n', killed: 'oom 1\noom_kill 1\n'};
	for (const [name, content] of Object.entries(events)) {
		mkdirSync(join(base, name));
		writeFileSync(join(base, name, 'memory.events'), content);
	}

	const out = [...Object.keys(events), 'gone'].map(name => confinement.wasOutOfMemory(join(base, name)));

	t.deepEqual(out, [false, false, true, false]);
});

for (const [kind, open] of Object.entries({
	cgroup: (t: ExecutionContext) => openFake(t, ''),
	session: (t: ExecutionContext) => {
		const base = join(makeTempDir(t), 'nohupd-0123456789ab');
		mkdirSync(base);
		return {base, confinement: new SessionConfinement(basename(base))};
	},
})) {
	test(`${kind}: figures of a process without a cgroup are those of its living processes`, async t => {
		const tree = await startTree(t, 'sleep 60 & setsid sleep 60 & echo ready; wait');
		const {confinement} = open(t);

		const figures = await eventually(
			() => confinement.figures(tree.process),
			found => found?.processes === 3,
		);

		t.like(figures, {memoryPeakBytes: null, processes: 3});
		t.true(Number(figures?.memoryBytes) > 100_000);
		t.true(Number.isInteger(figures?.cpuMs));
	});

	test(`${kind}: of what never ran nobody knows figures`, t => {
		t.is(open(t).confinement.figures(aQueuedProcess()), null);
	});

	test(`${kind}: a leaf is removed with all below it`, t => {
		const {base, confinement} = open(t);
		mkdirSync(join(base, 'proc_1/below/further'), {recursive: true});

		t.true(confinement.release(join(base, 'proc_1')));
		t.false(existsSync(join(base, 'proc_1')));
	});

	test(`${kind}: a leaf that is gone is as good as removed`, t => {
		const {base, confinement} = open(t);

		t.true(confinement.release(join(base, 'proc_gone')));
	});

	test(`${kind}: a leaf in which something lives stays`, t => {
		const {base, confinement} = open(t);
		mkdirSync(join(base, 'proc_1/below'), {recursive: true});
		writeFileSync(join(base, 'proc_1/cgroup.events'), 'populated 1\nfrozen 0\n');

		t.false(confinement.release(join(base, 'proc_1')));
		t.true(existsSync(join(base, 'proc_1/below')));
	});

	test(`${kind}: an earlier supervisor may have had its leaves elsewhere`, t => {
		const {base, confinement} = open(t);
		const elsewhere = join(makeTempDir(t), basename(base), 'proc_1');
		mkdirSync(elsewhere, {recursive: true});

		t.true(confinement.release(elsewhere));
		t.false(existsSync(elsewhere));
	});

	test(`${kind}: a path that is not ours is never removed, and nobody waits for it`, t => {
		const {base, confinement} = open(t);
		const others = [
			join(dirname(base), 'nohupd-ba9876543210/proc_1'),
			join(base, 'proc_1/below'),
			join(dirname(base), 'system.slice'),
			base,
		];
		for (const path of others) {
			mkdirSync(path, {recursive: true});
		}

		t.deepEqual(
			[...others, '', '/', '.', '..'].map(path => confinement.release(path)),
			Array.from({length: 8}, () => true),
		);
		t.true(others.every(path => existsSync(path)));
	});
}

test('all leaves of the state directory are listed, and no files', t => {
	const {base, confinement} = openFake(t, '');
	mkdirSync(join(base, 'proc_1/below'), {recursive: true});
	mkdirSync(join(base, 'proc_2'));

	t.deepEqual([...confinement.list()].toSorted(), [
		['proc_1', join(base, 'proc_1')],
		['proc_2', join(base, 'proc_2')],
	]);
});

test('in a session nothing is made, limited or listed', t => {
	const confinement = new SessionConfinement('nohupd-0123456789ab');

	t.deepEqual(
		{
			kind: confinement.kind,
			limits: confinement.limits.size,
			cgroup: confinement.prepare(),
			leaves: confinement.list().size,
			usage: confinement.usage(),
			isOutOfMemory: confinement.wasOutOfMemory(),
		},
		{
			kind: 'session',
			limits: 0,
			cgroup: null,
			leaves: 0,
			usage: {cpuMs: null, memoryPeakBytes: null},
			isOutOfMemory: false,
		},
	);
});

/** The place of a state directory that has no other use: removed at the end. */
function aStateDir(t: ExecutionContext): {stateDir: string; base: string} {
	const stateDir = realpathSync(makeTempDir(t));
	const sum = execFileSync('sha256sum', {input: stateDir, encoding: 'utf8'});
	const base = join(findOwnCgroup() ?? '/nowhere', `nohupd-${sum.slice(0, 12)}`);
	t.teardown(() =>
		eventually(() => {
			listMembers(base).forEach(killQuietly);
			return removeCgroup(base);
		}),
	);
	return {stateDir, base};
}

test('who wants sessions gets them, and no cgroup is made', t => {
	const {stateDir, base} = aStateDir(t);

	t.is(findConfinement(stateDir, false, programs, new RecordingLogger()).kind, 'session');
	t.false(existsSync(base));
});

testWithCgroup('where processes cannot be put into a cgroup there are sessions, and no cgroup is left', t => {
	const {stateDir, base} = aStateDir(t);
	const logger = new RecordingLogger();

	const confinement = findConfinement(stateDir, true, {...programs, bash: '/bin/false'}, logger);

	t.is(confinement.kind, 'session');
	t.like(logger.entries, [{level: 'debug'}]);
	t.false(existsSync(base));
});

testWithCgroup('a leaf is made for a process, and nothing is left after the close', t => {
	const {stateDir, base} = aStateDir(t);
	const confinement = findConfinement(stateDir, true, programs, new RecordingLogger());

	const leaf = confinement.prepare('proc_1', null);

	t.is(leaf, join(base, 'proc_1'));
	t.true(existsSync(join(leaf ?? '', 'cgroup.procs')));
	t.deepEqual([...confinement.list()], [['proc_1', leaf]]);
	t.true(confinement.release(leaf ?? ''));
	t.deepEqual([...confinement.list()], []);
	confinement.close();
	t.false(existsSync(base));
});

testWithCgroup('another state directory has another place', t => {
	const [a, b] = [aStateDir(t), aStateDir(t)];

	const leaves = [a, b].map(({stateDir}) =>
		findConfinement(stateDir, true, programs, new RecordingLogger()).prepare('proc_1', null),
	);

	t.deepEqual(leaves, [join(a.base, 'proc_1'), join(b.base, 'proc_1')]);
});

testWithCgroup('what runs on after the close is found by the next supervisor, in either mode', async t => {
	const {stateDir, base} = aStateDir(t);
	const first = findConfinement(stateDir, true, programs, new RecordingLogger());
	const leaf = first.prepare('proc_1', null) ?? '';
	const child = spawn('bash', ['-c', 'printf 0 >"$1/cgroup.procs"; exec sleep 60', 'bash', leaf], {stdio: 'ignore'});
	t.teardown(() => killQuietly(child.pid ?? 0));
	await eventually(() => listMembers(leaf).length === 1);

	first.close();
	const again = findConfinement(stateDir, true, programs, new RecordingLogger());
	const inSession = findConfinement(stateDir, false, programs, new RecordingLogger());

	t.deepEqual([...again.list()], [['proc_1', leaf]]);
	t.deepEqual([again.release(leaf), inSession.release(leaf)], [false, false]);
	t.like(again.figures(aRunningProcess({cgroup: leaf})), {processes: 1});
	child.kill('SIGKILL');
	await once(child, 'exit');
	t.true(inSession.release(leaf));
	again.close();
	t.false(existsSync(base));
});

testWithCgroup('controllers that an earlier supervisor enabled do not stand in the way of the next', t => {
	const {stateDir, base} = aStateDir(t);
	makeCgroup(base);
	const controller = shareOut(t, base);
	if (controller === null) {
		t.log('skipped: there is no controller to share out here');
		t.pass();
		return;
	}

	t.is(findConfinement(stateDir, true, programs, new RecordingLogger()).kind, 'cgroup');
});

/** Enables any controller for the children of a cgroup: from then on it takes no processes (cgroups(7)). */
function shareOut(t: ExecutionContext, cgroup: string): string | null {
	const read = (file: string) =>
		readFileSync(join(dirname(cgroup), file), 'utf8')
			.trim()
			.split(' ')
			.filter(Boolean);
	const control = (path: string) => join(path, 'cgroup.subtree_control');
	const enabled = read('cgroup.subtree_control');
	for (const controller of read('cgroup.controllers')) {
		try {
			writeFileSync(control(dirname(cgroup)), `+${controller}`);
			if (!enabled.includes(controller)) {
				t.teardown(() => {
					writeFileSync(control(cgroup), `-${controller}`);
					writeFileSync(control(dirname(cgroup)), `-${controller}`);
				});
			}

			writeFileSync(control(cgroup), `+${controller}`);
			return controller;
		} catch {
			// EBUSY, EACCES, ENOTSUP: perhaps another one.
		}
	}

	return null;
}
