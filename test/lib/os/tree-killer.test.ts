import {chmodSync, mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {isTreeKillUsable, signalByTreeKill} from '../../../lib/os/tree-killer.js';
import {eventually} from '../../helpers/eventually.js';
import {makeTempDir} from '../../helpers/temp-dir.js';
import {exited, startTree} from '../../helpers/trees.js';

/** A directory with a file of this name in it. */
function withProgram(directory: string, name: string, mode = 0o755): string {
	mkdirSync(directory, {recursive: true});
	writeFileSync(join(directory, name), '#!/bin/sh\n');
	chmodSync(join(directory, name), mode);
	return directory;
}

const usable = isTreeKillUsable();
const withPs = usable ? test : test.skip;

test('without ps it is of no use', t => {
	const empty = makeTempDir(t);

	t.deepEqual([empty, '', '/nowhere', `${empty}:/nowhere`].map(isTreeKillUsable), [false, false, false, false]);
});

test('with ps in any directory of the path it is', t => {
	const directory = makeTempDir(t);
	withProgram(join(directory, 'bin'), 'ps');

	t.true(isTreeKillUsable(`/nowhere:${directory}:${join(directory, 'bin')}`));
});

test('the ps of busybox does not know what it needs', t => {
	const directory = makeTempDir(t);
	withProgram(directory, 'busybox');
	mkdirSync(join(directory, 'bin'));
	symlinkSync('../busybox', join(directory, 'bin/ps'));

	t.false(isTreeKillUsable(join(directory, 'bin')));
});

test('the first ps in the path counts: it is the one that would be started', t => {
	const directory = makeTempDir(t);
	withProgram(join(directory, 'good'), 'ps');
	withProgram(directory, 'busybox');
	mkdirSync(join(directory, 'bin'));
	symlinkSync('../busybox', join(directory, 'bin/ps'));

	t.false(isTreeKillUsable(`${directory}/bin:${directory}/good`));
	t.true(isTreeKillUsable(`${directory}/good:${directory}/bin`));
});

test('a ps that may not be executed is passed over', t => {
	const directory = makeTempDir(t);
	withProgram(join(directory, 'closed'), 'ps', 0o644);
	withProgram(join(directory, 'open'), 'ps');

	t.false(isTreeKillUsable(`${directory}/closed`));
	t.true(isTreeKillUsable(`${directory}/closed:${directory}/open`));
});

test('a ps that leads nowhere is none', t => {
	const directory = makeTempDir(t);
	symlinkSync('/nowhere/ps', join(directory, 'ps'));

	t.false(isTreeKillUsable(directory));
});

const hears = `hear() { trap "echo $2 $1" "$2"; echo "up $1"; while :; do read -t 60 <> <(:); done; }`;

withPs(`the signal reaches a process and its descendants${usable ? '' : ' (skipped: there is no ps)'}`, async t => {
	const tree = await startTree(t, `${hears}; (hear child INT) & echo ready; hear command INT`);
	await eventually(() => tree.output().split('up').length === 3);

	await signalByTreeKill(tree.pid, 'SIGINT');

	await eventually(() => tree.output().split('INT').length === 3);
	t.regex(tree.output(), /INT child/);
	t.regex(tree.output(), /INT command/);
});

withPs(`it settles where nobody is left${usable ? '' : ' (skipped: there is no ps)'}`, async t => {
	const tree = await startTree(t, 'echo ready');
	await exited(tree);

	await t.notThrowsAsync(signalByTreeKill(tree.pid, 'SIGTERM'));
});
