import test from 'ava';
import {Admission} from '../../lib/admission.js';
import {QueueFullError} from '../../lib/errors.js';
import {FakeLauncher} from '../helpers/fake-launcher.js';
import {someSettings} from '../helpers/parts.js';

function open({maxRunning = Number.POSITIVE_INFINITY, maxQueued = 1000} = {}) {
	const launcher = new FakeLauncher();
	const admission = new Admission(launcher, {...someSettings, maxRunning, maxQueued});
	const enter = (...processIds: string[]) => {
		for (const processId of processIds) {
			admission.enter(processId);
		}
	};
	return {admission, launched: launcher.launched, enter};
}

test('without a limit everything is launched at once', t => {
	const {admission, launched, enter} = open();

	enter('a', 'b', 'c');

	t.deepEqual(launched, ['a', 'b', 'c']);
	t.like(admission, {running: 3, queued: 0});
});

test('as many run as may, and the others wait', t => {
	const {admission, launched, enter} = open({maxRunning: 2});

	enter('a', 'b', 'c', 'd');

	t.deepEqual(launched, ['a', 'b']);
	t.like(admission, {running: 2, queued: 2});
	t.deepEqual(
		['a', 'b', 'c', 'd'].map(processId => admission.isAdmitted(processId)),
		[true, true, false, false],
	);
});

test('who came first is launched first', t => {
	const {admission, launched, enter} = open({maxRunning: 1});
	enter('a', 'b', 'c', 'd');

	for (const processId of ['a', 'b', 'c', 'd']) {
		admission.leave(processId);
	}

	t.deepEqual(launched, ['a', 'b', 'c', 'd']);
	t.like(admission, {running: 0, queued: 0});
});

test('one that leaves the queue is never launched, and the order of the others stays', t => {
	const {admission, launched, enter} = open({maxRunning: 1});
	enter('a', 'b', 'c', 'd');

	admission.leave('c');
	admission.leave('a');
	admission.leave('b');

	t.deepEqual(launched, ['a', 'b', 'd']);
});

test('one that runs already, from before, takes a place', t => {
	const {admission, launched, enter} = open({maxRunning: 2});

	admission.occupy('old');
	enter('a', 'b');
	admission.leave('old');

	t.deepEqual(launched, ['a', 'b']);
});

test('two ends of one process free one place', t => {
	const {admission, launched, enter} = open({maxRunning: 1});
	enter('a', 'b', 'c');

	admission.leave('a');
	admission.leave('a');

	t.deepEqual(launched, ['a', 'b']);
});

test('no more are accepted when as many run and wait as may', t => {
	const {admission, enter} = open({maxRunning: 2, maxQueued: 1});
	enter('a', 'b', 'c');

	const error = t.throws(() => admission.assertRoom(), {instanceOf: QueueFullError});

	t.like(error, {maxRunning: 2, maxQueued: 1});
	admission.leave('b');
	t.notThrows(() => admission.assertRoom());
});

test('where none may wait, as many are accepted as may run', t => {
	const {admission, enter} = open({maxRunning: 1, maxQueued: 0});

	t.notThrows(() => admission.assertRoom());
	enter('a');
	t.throws(() => admission.assertRoom(), {instanceOf: QueueFullError});
});

test('after the close nothing is launched any more', t => {
	const {admission, launched, enter} = open({maxRunning: 1});
	enter('a', 'b');

	admission.close();
	admission.leave('a');

	t.deepEqual(launched, ['a']);
});
