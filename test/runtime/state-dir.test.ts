import {homedir} from 'node:os';
import test from 'ava';
import {defaultStateDir} from '../../runtime/state-dir.js';

test('systemd names the state directory', t => {
	t.is(defaultStateDir({STATE_DIRECTORY: '/var/lib/nohupd', XDG_STATE_HOME: '/x'}), '/var/lib/nohupd');
});

test('of several directories from systemd the first is taken', t => {
	t.is(defaultStateDir({STATE_DIRECTORY: '/var/lib/a:/var/lib/b'}), '/var/lib/a');
});

test('without systemd it is in $XDG_STATE_HOME', t => {
	t.is(defaultStateDir({XDG_STATE_HOME: '/x'}), '/x/nohupd');
});

test('an empty or relative $XDG_STATE_HOME does not count', t => {
	const inHome = `${homedir()}/.local/state/nohupd`;

	t.is(defaultStateDir({}), inHome);
	t.is(defaultStateDir({XDG_STATE_HOME: ''}), inHome);
	t.is(defaultStateDir({XDG_STATE_HOME: 'x'}), inHome);
});
