import test from 'ava';
import {readStat, type Stat} from '../../../lib/os/proc.js';
import {ProcessTree} from '../../../lib/os/process-tree.js';
import {eventually} from '../../helpers/eventually.js';
import {isAlive, killQuietly, readProc} from '../../helpers/processes.js';
import {exited, startTree, type Tree} from '../../helpers/trees.js';

function treeOf({process}: Tree): ProcessTree {
	return new ProcessTree(process.processId, process.state.start, true);
}

/** What each member runs, in alphabetical order. */
function names(members: readonly Stat[]): string[] {
	return members.map(({pid}) => readProc(pid, 'comm').trim()).sort();
}

/** Pid that the command has written behind this word. */
function pidBehind(word: string, tree: Tree): number {
	return Number(new RegExp(`${word} (\\d+)`).exec(tree.output())?.[1]);
}

/** Looks until the shells have become what they are to be. */
async function seen(tree: ProcessTree, expected: readonly string[]): Promise<string[]> {
	return eventually(
		() => names(tree.look()),
		found => found.join() === expected.join(),
	);
}

const trees: Record<string, {line: string; members: string[]}> = {
	'its own process': {line: 'echo ready; exec sleep 60', members: ['sleep']},
	'children and their children': {
		line: 'sleep 60 & bash -c "sleep 60 & sleep 60 & wait" & echo ready; wait',
		members: ['bash', 'bash', 'sleep', 'sleep', 'sleep'],
	},
	'a child that left the group (setsid)': {line: 'setsid sleep 60 & echo ready; wait', members: ['bash', 'sleep']},
	'a child whose parent left (double fork)': {
		line: '(sleep 60 &); echo ready; wait; exec sleep 60',
		members: ['sleep', 'sleep'],
	},
	'a child that did both': {line: '(setsid sleep 60 &); echo ready; exec sleep 60', members: ['sleep', 'sleep']},
	'a child in the group that dropped the cookie': {
		line: '(env -i sleep 60 &); echo ready; exec sleep 60',
		members: ['sleep', 'sleep'],
	},
	'a child that left the group and dropped the cookie': {
		line: 'env -i setsid sleep 60 & echo ready; wait',
		members: ['bash', 'sleep'],
	},
	'a child that is stopped': {
		line: 'sleep 60 & (kill -STOP $BASHPID) & echo ready; wait',
		members: ['bash', 'bash', 'sleep'],
	},
};

for (const [whom, {line, members}] of Object.entries(trees)) {
	test(`one look finds ${whom}`, async t => {
		const tree = await startTree(t, line);
		const processTree = treeOf(tree);
		// Some carry no cookie.
		t.teardown(() => {
			for (const {pid} of processTree.look()) {
				killQuietly(pid);
			}
		});

		t.deepEqual(await seen(processTree, members), members);
	});
}

test('one look finds those whose command has ended', async t => {
	const tree = await startTree(t, 'sleep 60 & setsid sleep 60 & echo ready');
	await exited(tree);

	t.deepEqual(await seen(treeOf(tree), ['sleep', 'sleep']), ['sleep', 'sleep']);
});

test('whoever was seen once stays known, without group, parent and cookie', async t => {
	const tree = await startTree(
		t,
		'(env -i setsid sh -c "echo leaver \\$\\$; exec sleep 60" & read -t 60 <> <(:)) & echo ready; wait',
	);
	const processTree = treeOf(tree);
	await eventually(() => tree.output().includes('leaver'));
	const leaver = pidBehind('leaver', tree);
	t.teardown(() => killQuietly(leaver));
	await eventually(() => processTree.look().some(({pid}) => pid === leaver));

	for (const pid of tree.carriers()) {
		killQuietly(pid);
	}

	await exited(tree);
	const left = await eventually(
		() => processTree.look().map(({pid}) => pid),
		found => found.length === 1,
	);
	t.deepEqual(left, [leaver]);
});

test('zombies are not alive', async t => {
	// The child waits until its parent is sleep, which never asks how a child ended.
	const line = 'until [[ $(</proc/$$/comm) == sleep ]]; do :; done & echo zombie $!; echo ready; exec sleep 60';
	const tree = await startTree(t, line);
	const zombie = pidBehind('zombie', tree);
	await eventually(() => readStat(zombie)?.state === 'Z');

	t.deepEqual(await seen(treeOf(tree), ['sleep']), ['sleep']);
});

test('strangers are no members', async t => {
	const tree = await startTree(t, 'echo ready; exec sleep 60');
	const stranger = await startTree(t, 'echo ready; exec sleep 60');

	t.deepEqual(
		treeOf(tree)
			.look()
			.map(({pid}) => pid),
		[tree.pid],
	);
	t.true(isAlive(stranger.pid));
});

test('a stranger who got the number of the command later is no member', async t => {
	const stranger = await startTree(t, 'sleep 60 & echo ready; wait');
	const {start} = stranger.process.state;
	const identity = {...start.identity, startTicks: start.identity.startTicks - 1};

	const tree = new ProcessTree('proc_other', {...start, identity}, true);

	t.deepEqual([tree.look(), tree.sweep()], [[], 0]);
	t.true(isAlive(stranger.pid));
});

test('a cookie counts only as a whole', async t => {
	const tree = await startTree(
		t,
		'id=$NOHUPD_PROCESS_ID; NOHUPD_PROCESS_ID="$id"0 X=NOHUPD_PROCESS_ID=$id setsid -f sleep 60; echo ready; exec sleep 60',
	);
	const others = await eventually(
		() => tree.carriers().filter(pid => pid !== tree.pid && readProc(pid, 'comm') === 'sleep\n'),
		found => found.length === 1,
	);

	t.deepEqual(
		treeOf(tree)
			.look()
			.map(({pid}) => pid),
		[tree.pid],
	);
	others.forEach(killQuietly);
});

test('descendants are told from those who are members by group or cookie alone', async t => {
	const tree = await startTree(t, '(sleep 60 &); bash -c "sleep 60 & wait" & echo ready; wait');
	const processTree = treeOf(tree);
	await seen(processTree, ['bash', 'bash', 'sleep', 'sleep']);

	const members = processTree.look();

	t.deepEqual(names(members.filter(stat => processTree.isDescendant(stat, members))), ['bash', 'bash', 'sleep']);
});

test('a sweep kills whom it finds and says how many', async t => {
	const tree = await startTree(t, 'trap "" TERM; setsid sleep 60 & echo ready; wait');
	const processTree = treeOf(tree);
	await seen(processTree, ['bash', 'sleep']);

	t.true(processTree.sweep() > 0);
	await eventually(() => processTree.sweep() === 0);

	t.deepEqual(tree.carriers(), []);
});
