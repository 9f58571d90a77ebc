import test from 'ava';
import {type Ending, exitCodeOf} from '../../runtime/exit-codes.js';

const ends = test.macro((t, ending: Partial<Ending>, code: number) => {
	t.is(exitCodeOf({reason: 'exited', exit_code: null, signal: null, ...ending}), code);
});

test('its own exit code', ends, {exit_code: 3}, 3);
test('also 0', ends, {exit_code: 0}, 0);
test('128 and the number of the signal', ends, {reason: 'signaled', signal: 'SIGKILL'}, 137);
test('the same where somebody killed it', ends, {reason: 'request', signal: 'SIGTERM'}, 143);
test('one that was killed and ended in its own way has its own', ends, {reason: 'request', exit_code: 0}, 0);
test('124 for a timeout, whatever it said to that', ends, {reason: 'timeout', exit_code: 0}, 124);
test('126 where it could not start', ends, {reason: 'start_failed'}, 126);
test('125 where nobody knows', ends, {reason: 'lost'}, 125);
test('125 for a signal that this platform does not know', ends, {reason: 'signaled', signal: 'SIGNAL'}, 125);
