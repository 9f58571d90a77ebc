import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {
	enableControllers,
	enabledControllers,
	findOwnCgroup,
	isPopulated,
	killMembers,
	listMembers,
	makeCgroup,
	readNumber,
	removeCgroup,
	subgroups,
} from '../../../lib/os/cgroup.js';
import {makeTestCgroup, testWithCgroup} from '../../helpers/cgroups.js';
import {eventually} from '../../helpers/eventually.js';
import {isAlive, killQuietly} from '../../helpers/processes.js';
import {makeTempDir} from '../../helpers/temp-dir.js';

const unified =
	'30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot';
const others = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:21 / /proc rw,relatime - proc proc rw`;

const finds = test.macro((t, mounts: string, membership: string, expected: string | null) => {
	t.is(findOwnCgroup(`${others}\n${mounts}\n`, `${membership}\n`), expected);
});

test(
	'finds the cgroup of a service',
	finds,
	unified,
	'0::/system.slice/nohupd.service',
	'/sys/fs/cgroup/system.slice/nohupd.service',
);
test('finds the root', finds, unified, '0::/', '/sys/fs/cgroup');
test(
	'finds version 2 beside version 1',
	finds,
	`31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw`,
	`9:name=systemd:/elsewhere
4:memory:/process_api/2d7ebc
0::/user.slice/session-1.scope`,
	'/sys/fs/cgroup/unified/user.slice/session-1.scope',
);
test('finds it whatever the order of the hierarchies', finds, unified, '0::/a\n1:cpu:/b', '/sys/fs/cgroup/a');
test(
	'finds nothing where only version 1 is mounted',
	finds,
	'32 31 0:29 / /cg/cpu rw - cgroup cgroup rw,cpu',
	'0::/',
	null,
);
test('finds nothing where no hierarchy of version 2 is joined', finds, unified, '4:memory:/a\n1:cpu:/b', null);
test('finds nothing where the kernel tells nothing', finds, '', '', null);
test(
	'takes no other type for it whose name begins the same',
	finds,
	'30 23 0:26 / /cg rw - cgroup2fs cgroup2 rw',
	'0::/',
	null,
);
test(
	'a mount may have any number of optional fields: none',
	finds,
	'30 23 0:26 / /cg rw - cgroup2 none rw',
	'0::/',
	'/cg',
);
test(
	'a mount may have any number of optional fields: several',
	finds,
	'30 23 0:26 / /cg rw shared:4 master:1 unbindable - cgroup2 none rw',
	'0::/',
	'/cg',
);
test(
	'in a cgroup namespace paths begin at its root',
	finds,
	'900 880 0:26 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw',
	'0::/agent',
	'/sys/fs/cgroup/agent',
);
test(
	'in a container without a namespace of its own only its part is mounted',
	finds,
	'900 880 0:26 /docker/0123abcd /sys/fs/cgroup rw - cgroup2 cgroup rw',
	'0::/docker/0123abcd/agent',
	'/sys/fs/cgroup/agent',
);
test(
	'a part that is mounted does not hold those that are only called alike',
	finds,
	'900 880 0:26 /docker/0123 /sys/fs/cgroup rw - cgroup2 cgroup rw',
	'0::/docker/0123abcd',
	null,
);
test(
	'a part that is mounted does not hold what is above it',
	finds,
	'900 880 0:26 /docker/0123 /sys/fs/cgroup rw - cgroup2 cgroup rw',
	'0::/docker',
	null,
);
test(
	'of several mounts the first counts that shows it',
	finds,
	`40 23 0:26 /system.slice /slice rw - cgroup2 none rw\n41 23 0:26 / /all rw - cgroup2 none rw\n${unified}`,
	'0::/user.slice',
	'/all/user.slice',
);
test(
	'a mount from above our namespace is not ours: nobody could say where in it we are',
	finds,
	`900 880 0:26 /.. /host/cgroup rw - cgroup2 cgroup rw\n${unified}`,
	'0::/',
	'/sys/fs/cgroup',
);
test(
	'a mount from far above our namespace is not ours either',
	finds,
	'900 880 0:26 /../../init.scope /host/cgroup rw - cgroup2 cgroup rw',
	'0::/a',
	null,
);
test('whoever is outside of the namespace has no cgroup in it', finds, unified, '0::/../other', null);
test('a name may begin with dots', finds, unified, '0::/..a/...', '/sys/fs/cgroup/..a/...');
test(
	'a mount point may have spaces, tabs, backslashes and newlines in its name',
	finds,
	'30 23 0:26 / /a\\040b\\011c\\134d\\012e rw - cgroup2 none rw',
	'0::/f',
	'/a b\tc\\d\ne/f',
);
test('so may the part that is mounted', finds, '30 23 0:26 /a\\040b /cg rw - cgroup2 none rw', '0::/a b/c', '/cg/c');
test(
	'a backslash of the path itself stays',
	finds,
	unified,
	'0::/dev-disk-by\\x2dlabel',
	'/sys/fs/cgroup/dev-disk-by\\x2dlabel',
);
test('a path may have colons', finds, unified, '0::/a:b::c', '/sys/fs/cgroup/a:b::c');

/** A directory with the files of a cgroup, as the kernel would show them. */
function aFakeCgroup(t: ExecutionContext, files: Readonly<Record<string, string>>): string {
	const cgroup = makeTempDir(t);
	for (const [path, content] of Object.entries(files)) {
		mkdirSync(dirname(join(cgroup, path)), {recursive: true});
		writeFileSync(join(cgroup, path), content);
	}

	return cgroup;
}

test('enabled are those controllers that hold for children, as far as we know them', t => {
	const cgroup = aFakeCgroup(t, {
		'cgroup.controllers': 'cpuset cpu io memory hugetlb pids\n',
		'cgroup.subtree_control': 'cpuset memory pids\n',
	});

	t.deepEqual([...enabledControllers(cgroup)], ['memory', 'pids']);
});

test('no controller is enabled where there is none, or no cgroup', t => {
	const cgroup = aFakeCgroup(t, {'cgroup.subtree_control': '\n'});

	t.deepEqual([...enabledControllers(cgroup), ...enabledControllers(join(cgroup, 'gone'))], []);
});

test('a controller that is not available is not asked for', t => {
	const cgroup = aFakeCgroup(t, {'cgroup.controllers': 'hugetlb memory\n', 'cgroup.subtree_control': ''});

	enableControllers(cgroup);

	t.is(readFileSync(join(cgroup, 'cgroup.subtree_control'), 'utf8'), '+memory');
});

test('a controller that may not be enabled is no error', t => {
	// A directory takes no text, whoever writes.
	const cgroup = aFakeCgroup(t, {'cgroup.controllers': 'cpu memory pids\n', 'cgroup.subtree_control/x': ''});

	t.notThrows(() => enableControllers(cgroup));
	t.notThrows(() => enableControllers(join(cgroup, 'gone')));
});

test('a cgroup is populated when its events say so', t => {
	const populated = ['populated 1\nfrozen 0\n', 'frozen 0\npopulated 1\n', 'populated 0\nfrozen 1\n', ''].map(events =>
		isPopulated(aFakeCgroup(t, {'cgroup.events': events})),
	);

	t.deepEqual(populated, [true, true, false, false]);
	t.false(isPopulated('/nowhere'));
});

test('members are those of the cgroup and of all below, without strangers to our pid namespace', t => {
	const cgroup = aFakeCgroup(t, {
		'cgroup.procs': '12\n0\n7\n',
		'a/cgroup.procs': '0\n',
		'a/b/cgroup.procs': '99\n',
		'c/cgroup.procs': '',
	});

	t.deepEqual(listMembers(cgroup).toSorted(), [12, 7, 99]);
	t.deepEqual(listMembers('/nowhere'), []);
});

test('subgroups come with parents first, and without files', t => {
	const cgroup = aFakeCgroup(t, {'a/b/c/x': '', 'd/x': '', x: ''});

	t.deepEqual(
		subgroups(cgroup).map(path => path.slice(cgroup.length + 1)),
		['a', 'a/b', 'a/b/c', 'd'],
	);
});

test('a number is read from its file, or from its line', t => {
	const cgroup = aFakeCgroup(t, {
		'memory.current': '4096\n',
		'memory.peak': 'max\n',
		'cpu.stat': 'usage_usec 1234\nuser_usec 1000\nsystem_usec 234\n',
		'memory.events': 'low 0\noom 3\noom_kill 2\noom_group_kill 1\n',
	});

	t.deepEqual(
		[
			readNumber(cgroup, 'memory.current'),
			readNumber(cgroup, 'memory.peak'),
			readNumber(cgroup, 'cpu.stat', 'usage_usec'),
			readNumber(cgroup, 'cpu.stat', 'nr_periods'),
			readNumber(cgroup, 'memory.events', 'oom'),
			readNumber(cgroup, 'memory.events', 'oom_kill'),
			readNumber(cgroup, 'no.such'),
		],
		[4096, null, 1234, null, 3, 2, null],
	);
});

test('a cgroup is removed with all below it', t => {
	const cgroup = join(makeTempDir(t), 'cgroup');
	mkdirSync(join(cgroup, 'a/b'), {recursive: true});
	mkdirSync(join(cgroup, 'c'));

	t.true(removeCgroup(cgroup));
	t.false(existsSync(cgroup));
});

test('a cgroup that is gone is as good as removed', t => {
	t.true(removeCgroup(join(makeTempDir(t), 'gone')));
});

test('what cannot be removed is told, and stays', t => {
	const cgroup = aFakeCgroup(t, {'a/busy': ''});

	t.false(removeCgroup(cgroup));
	t.true(existsSync(cgroup));
});

test('a cgroup without cgroup.kill is not killed', t => {
	t.false(killMembers(join(makeTempDir(t), 'gone')));
});

/** A shell in a cgroup, with two children of its own. */
async function occupy(t: ExecutionContext, cgroup: string): Promise<ChildProcess> {
	const script = 'printf 0 >"$1/cgroup.procs"; sleep 60 & setsid sleep 60 & wait';
	const child = spawn('bash', ['-c', script, 'bash', cgroup], {stdio: 'ignore'});
	t.teardown(() => killQuietly(child.pid ?? 0));
	await eventually(() => listMembers(cgroup).length === 3);
	return child;
}

testWithCgroup('a new cgroup is empty, and can be removed again', t => {
	const cgroup = join(makeTestCgroup(t), 'a');

	makeCgroup(cgroup);
	// Making it again does no harm.
	makeCgroup(cgroup);

	t.deepEqual([existsSync(cgroup), isPopulated(cgroup), listMembers(cgroup)], [true, false, []]);
	t.true(removeCgroup(cgroup));
	t.false(existsSync(cgroup));
});

testWithCgroup('a cgroup with processes is populated, so is the one above, and neither can be removed', async t => {
	const parent = makeTestCgroup(t);
	const cgroup = join(parent, 'a');
	makeCgroup(cgroup);
	await occupy(t, cgroup);

	t.deepEqual([isPopulated(cgroup), isPopulated(parent)], [true, true]);
	t.is(listMembers(parent).length, 3);
	t.deepEqual([removeCgroup(parent), existsSync(cgroup)], [false, true]);
});

testWithCgroup('a kill reaches all in a cgroup and below, and nobody else', async t => {
	const parent = makeTestCgroup(t);
	const [cgroup, other] = [join(parent, 'a'), join(parent, 'b')];
	makeCgroup(join(cgroup, 'below'));
	makeCgroup(other);
	const killed = [await occupy(t, cgroup), await occupy(t, join(cgroup, 'below'))];
	const spared = await occupy(t, other);

	const couldKill = killMembers(cgroup);
	await Promise.all(killed.map(child => child.exitCode ?? child.signalCode ?? once(child, 'exit')));
	await eventually(() => !isPopulated(cgroup));

	t.true(couldKill);
	t.deepEqual(
		killed.map(({signalCode}) => signalCode),
		['SIGKILL', 'SIGKILL'],
	);
	t.is(listMembers(other).length, 3);
	t.true(isAlive(Number(spared.pid)));
	t.true(removeCgroup(cgroup));
});

testWithCgroup('zombies do not keep a cgroup', async t => {
	const cgroup = makeTestCgroup(t);
	// The parent, outside, never asks how its child ended; a shell would, as long as it is one.
	const child =
		'printf 0 >"$1/cgroup.procs"; until [[ $comm == sleep ]]; do read -r comm </proc/$$/comm; done; exec true';
	const script = `(${child}) & echo $!; exec sleep 60`;
	const parent = spawn('bash', ['-c', script, 'bash', cgroup], {stdio: ['ignore', 'pipe', 'ignore']});
	t.teardown(() => killQuietly(parent.pid ?? 0));
	const [line] = await once(parent.stdout, 'data');
	await eventually(() => !isAlive(Number(line)));

	t.true(existsSync(`/proc/${Number(line)}`));
	t.deepEqual([isPopulated(cgroup), listMembers(cgroup)], [false, []]);
	t.true(removeCgroup(cgroup));
});
