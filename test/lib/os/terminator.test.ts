import {once} from 'node:events';
import {rmSync} from 'node:fs';
import test from 'ava';
import {SystemClock} from '../../../lib/os/system-clock.js';
import {TreeTerminator} from '../../../lib/os/terminator.js';
import type {TreeHandle} from '../../../lib/ports.js';
import {eventually} from '../../helpers/eventually.js';
import {isAlive, readProc} from '../../helpers/processes.js';
import {makeTempDir} from '../../helpers/temp-dir.js';
import {exited, startTree, type Tree} from '../../helpers/trees.js';

const terminator = new TreeTerminator(new SystemClock(), '/state');

/** Where no `ps` is found, tree-kill is of no use. */
function askWithoutPs(handle: TreeHandle): Promise<void> {
	const path = process.env['PATH'];
	process.env['PATH'] = '/nowhere';
	try {
		return handle.ask('SIGTERM');
	} finally {
		process.env['PATH'] = path;
	}
}

function lines(tree: Tree): string[] {
	return tree.output().split('\n').filter(Boolean).sort();
}

const trees: Record<string, string> = {
	children: 'sleep 60 & sleep 60 & bash -c "sleep 60 & wait" & echo ready; wait',
	'a child that ignores SIGTERM': `(trap '' TERM; exec sleep 60) & echo ready; wait`,
	'a child that left the group (setsid)': 'setsid sleep 60 & echo ready; wait',
	'a child whose parent left (double fork)': '(sleep 60 &); echo ready; wait; exec sleep 60',
	'a child that did both': '(setsid sleep 60 &); echo ready; exec sleep 60',
	'a child of nohup and disown': 'nohup setsid sleep 60 >/dev/null 2>&1 & disown; echo ready; exec sleep 60',
	'children whose command has ended': 'sleep 60 & setsid sleep 60 & echo ready',
	'a process that is stopped': '(sleep 60; kill -KILL $$) & sleep 60 & kill -STOP $!; echo ready; kill -STOP $$',
	'a hundred processes': 'for i in {1..100}; do sleep 60 & done; echo ready; wait',
};

for (const [whom, line] of Object.entries(trees)) {
	test(`nothing is alive after a kill: ${whom}`, async t => {
		const tree = await startTree(t, line);
		const handle = terminator.target(tree.process);

		await handle.kill(() => undefined);

		t.deepEqual(tree.carriers(), []);
		t.true(handle.isGone());
	});
}

test('nothing is alive after a kill: chains that fork and leave their group again and again', async t => {
	// Where a kill fails, nobody could catch them: without the leash they end by themselves.
	const leash = makeTempDir(t);
	const tree = await startTree(
		t,
		`export LEASH='${leash}'
		hop() { [[ -d $LEASH ]] && setsid -f "$BASH" -c "$(declare -f hop); hop"; }
		(hop) & (hop) & echo ready; exec sleep 60`,
	);
	t.teardown(() => rmSync(leash, {recursive: true}));
	const handle = terminator.target(tree.process);

	await handle.kill(() => undefined);

	t.deepEqual(tree.carriers(), []);
	t.true(handle.isGone());
});

test('a kill of what has ended already finds nobody, and settles', async t => {
	const tree = await startTree(t, 'echo ready');
	await exited(tree);
	const handle = terminator.target(tree.process);

	t.true(handle.isGone());
	await t.notThrowsAsync(handle.kill(() => undefined));
});

test('a stranger in another group is not touched, neither by the polite way nor by the other', async t => {
	const tree = await startTree(t, '(setsid sleep 60 &); echo ready; exec sleep 60');
	const stranger = await startTree(
		t,
		`trap 'echo TERM' TERM; echo ready; while ((SECONDS < 60)); do read -t 60 <> <(:); done`,
	);
	const handle = terminator.target(tree.process);

	await handle.ask('SIGTERM');
	await handle.kill(() => undefined);

	t.true(isAlive(stranger.pid));
	t.is(stranger.output(), 'ready\n');
});

test('a stranger who got the number of the command later is not touched', async t => {
	const stranger = await startTree(
		t,
		`trap 'echo TERM' TERM; echo ready; while ((SECONDS < 60)); do read -t 60 <> <(:); done`,
	);
	const {start} = stranger.process.state;
	const identity = {...start.identity, startTicks: start.identity.startTicks - 1};
	const handle = terminator.target({
		...stranger.process,
		processId: 'proc_other',
		state: {status: 'running', start: {...start, identity}},
	});

	t.true(handle.isGone());
	await handle.ask('SIGTERM');
	await handle.kill(() => undefined);

	t.true(isAlive(stranger.pid));
	t.is(stranger.output(), 'ready\n');
});

// Each notes every SIGTERM that it gets: the command, its child, and one who left group and parent. SIGWINCH
// has a higher number, so bash answers it after all that came before.
const counting = `
	note() {
		trap "echo TERM $1" TERM
		trap "echo done $1" WINCH
		echo "up $BASHPID"
		while ((SECONDS < 60)); do read -t 60 <> <(:); done
	}
	(note child) &
	(setsid "$BASH" -c "$(declare -f note); note leaver" &)
	echo ready
	note command
`;

for (const [where, ask] of Object.entries({
	'with ps': (handle: TreeHandle) => handle.ask('SIGTERM'),
	'where there is no ps': askWithoutPs,
})) {
	test(`each process of a tree is asked once, ${where}`, async t => {
		const tree = await startTree(t, counting);
		const up = await eventually(
			() => lines(tree).filter(line => line.startsWith('up')),
			found => found.length === 3,
		);
		const handle = terminator.target(tree.process);

		await ask(handle);
		for (const line of up) {
			process.kill(Number(line.split(' ')[1]), 'SIGWINCH');
		}

		await eventually(() => lines(tree).filter(line => line.startsWith('done')).length === 3);
		await handle.kill(() => undefined);

		t.deepEqual(
			lines(tree).filter(line => line.startsWith('TERM')),
			['TERM child', 'TERM command', 'TERM leaver'],
		);
	});

	test(`a tree that obeys is gone after it was asked, ${where}`, async t => {
		const tree = await startTree(t, 'sleep 60 & setsid sleep 60 & echo ready; wait');
		const handle = terminator.target(tree.process);

		await ask(handle);
		await eventually(() => handle.isGone());

		t.deepEqual(tree.carriers(), []);
	});
}

test('a process that is stopped hears what it is asked', async t => {
	// The child ends it where nobody else does.
	const line = `trap 'echo TERM; exit' TERM; (sleep 60; kill -KILL $$) & echo ready; while :; do kill -STOP $$; done`;
	const tree = await startTree(t, line);
	await eventually(() => readProc(tree.pid, 'stat').includes(') T '));

	await terminator.target(tree.process).ask('SIGTERM');
	await once(tree.child, 'close');

	t.is(tree.output(), 'ready\nTERM\n');
});

test('a tree is not gone while one who ignores SIGTERM is alive', async t => {
	const tree = await startTree(t, `(trap '' TERM; echo up; exec setsid sleep 60) & echo ready; wait`);
	await eventually(() => tree.output().includes('up'));
	const handle = terminator.target(tree.process);

	await handle.ask('SIGTERM');
	await exited(tree);

	t.false(handle.isGone());
	await handle.kill(() => undefined);
	t.true(handle.isGone());
});
