import test from 'ava';
import {Bell} from '../../lib/bell.js';
import {settled} from '../helpers/fake-clock.js';

test('whoever waits hears it when it is rung', async t => {
	const bell = new Bell();
	let heard = 0;
	const waiting = bell.heard().then(() => heard++);
	await settled();
	t.is(heard, 0);

	bell.ring();
	await waiting;

	t.is(heard, 1);
});

test('rung before, however often, it is heard once', async t => {
	const bell = new Bell();
	bell.ring();
	bell.ring();

	await bell.heard();
	let heard = 0;
	void bell.heard().then(() => heard++);
	await settled();

	t.is(heard, 0);
});
