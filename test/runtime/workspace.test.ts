import {existsSync} from 'node:fs';
import test from 'ava';
import {inWorkspace} from '../../runtime/workspace.js';

const here = existsSync('/workspace') ? test.skip : test;

const moves = test.macro((t, body: unknown, expected: unknown) => {
	t.deepEqual(inWorkspace(body, '/home/me'), expected);
});

here('moves the official directory', moves, {workdir: '/workspace'}, {workdir: '/home/me'});
here('moves what is in it', moves, {working_dir: '/workspace/a/b'}, {working_dir: '/home/me/a/b'});
test('leaves another directory', moves, {workdir: '/workspaces'}, {workdir: '/workspaces'});
test('leaves what names none', moves, {command: 'ls'}, {command: 'ls'});
test('leaves what is no directory', moves, {workdir: 5}, {workdir: 5});
test('leaves what is no object', moves, null, null);

test('without a setting nothing is moved', t => {
	t.deepEqual(inWorkspace({workdir: '/workspace'}, undefined), {workdir: '/workspace'});
});
