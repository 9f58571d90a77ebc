import test from 'ava';
import {readStat} from '../../../lib/os/proc.js';
import {ProcfsTable} from '../../../lib/os/process-table.js';
import {eventually} from '../../helpers/eventually.js';
import {isAlive, readProc} from '../../helpers/processes.js';
import {exited, startTree} from '../../helpers/trees.js';

const table = new ProcfsTable();

// The child waits until its parent is sleep, which never asks how a child ended.
const withZombie = 'until [[ $(</proc/$$/comm) == sleep ]]; do :; done & echo $!; echo ready; exec sleep 60';

test('a process is alive until it has ended', async t => {
	const tree = await startTree(t, 'echo ready; exec sleep 60');
	const {identity} = tree.process.state.start;
	t.true(table.isAlive(identity));

	table.signal(identity, 'SIGKILL');
	await exited(tree);

	t.false(table.isAlive(identity));
});

test('a zombie is not alive', async t => {
	const tree = await startTree(t, withZombie);
	const pid = Number(tree.output().split('\n')[0]);
	const zombie = await eventually(
		() => readStat(pid),
		stat => stat?.state === 'Z',
	);

	t.false(table.isAlive({bootId: table.bootId, pid, startTicks: zombie?.startTicks ?? 0}));
});

test('a stranger with the same number, and one of another boot, is somebody else: no signal reaches it', async t => {
	const tree = await startTree(t, 'echo ready; exec sleep 60');
	const {identity} = tree.process.state.start;
	const strangers = [
		{...identity, startTicks: identity.startTicks + 1},
		{...identity, bootId: 'ffffffff'},
	];

	for (const stranger of strangers) {
		t.false(table.isAlive(stranger));
		table.signal(stranger, 'SIGKILL');
	}

	t.true(isAlive(tree.pid));
});

test('a signal to one who has ended does no harm', async t => {
	const tree = await startTree(t, 'echo ready');
	await exited(tree);

	t.notThrows(() => table.signal(tree.process.state.start.identity, 'SIGTERM'));
});

test('a shim is older than the process it waits for: whoever began later is none', async t => {
	const tree = await startTree(t, 'echo ready; exec sleep 60');
	const later = await startTree(t, 'sleep 0.05; echo ready; exec sleep 60');
	const {start} = tree.process.state;

	t.true(table.isShimAlive(start));
	t.false(
		table.isShimAlive({
			...start,
			shimPid: later.pid,
			identity: {...start.identity, startTicks: start.identity.startTicks - 1},
		}),
	);
	t.false(table.isShimAlive({...start, identity: {...start.identity, bootId: 'ffffffff'}}));
	t.false(table.isShimAlive({...start, shimPid: 4_194_305}));
});

test('a process may call itself what it likes', async t => {
	const tree = await startTree(
		t,
		`printf 'a) Z 1 (b' >/proc/$$/comm; echo ready; while ((SECONDS < 60)); do read -t 60 <> <(:); done`,
	);

	t.is(readProc(tree.pid, 'comm'), 'a) Z 1 (b\n');
	t.true(table.isAlive(tree.process.state.start.identity));
});
