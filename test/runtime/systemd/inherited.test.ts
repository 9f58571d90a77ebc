import test from 'ava';
import {SettingsInvalidError} from '../../../lib/index.js';
import {readInherited} from '../../../runtime/systemd/inherited.js';

const ours = {LISTEN_PID: '42', LISTEN_FDS: '1'};

const inherits = test.macro((t, environment: Record<string, string>, listen: number | null, notify: number | null) => {
	t.deepEqual(readInherited(environment, 42), {listen, notify});
});

test('nothing, where systemd gave nothing', inherits, {}, null, null);
test('the first descriptor is the socket', inherits, ours, 3, null);
test('what is meant for another process is not ours', inherits, {...ours, LISTEN_PID: '43'}, null, null);
test('what is meant for nobody is not ours', inherits, {LISTEN_FDS: '1'}, null, null);
test('a socket has the name of its unit', inherits, {...ours, LISTEN_FDNAMES: 'nohupd.socket'}, 3, null);
test(
	'the one named notify leads to systemd',
	inherits,
	{LISTEN_PID: '42', LISTEN_FDS: '2', LISTEN_FDNAMES: 'nohupd.socket:notify'},
	3,
	4,
);
test('it can be the only one', inherits, {...ours, LISTEN_FDNAMES: 'notify'}, null, 3);

test('two sockets are refused: one of them would never be answered', t => {
	const error = t.throws(() => readInherited({LISTEN_PID: '42', LISTEN_FDS: '2'}, 42), {
		instanceOf: SettingsInvalidError,
	});

	t.regex(error.message, /LISTEN_FDS must be one socket/);
});

test('a number that is none is refused', t => {
	t.throws(() => readInherited({LISTEN_PID: '42', LISTEN_FDS: 'x'}, 42), {instanceOf: SettingsInvalidError});
});
