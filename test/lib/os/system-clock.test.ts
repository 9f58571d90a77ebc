import {readFileSync} from 'node:fs';
import test from 'ava';
import {SystemClock} from '../../../lib/os/system-clock.js';

test('the time since boot is that of the kernel, as keeper and shims read it', t => {
	const before = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;
	const uptimeMs = new SystemClock().uptimeMs();
	const after = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;

	t.true(Number.isInteger(uptimeMs));
	t.true(before - 10 <= uptimeMs && uptimeMs <= after + 10, `${before} <= ${uptimeMs} <= ${after}`);
});

test('a timer calls back once, unless it was cancelled', async t => {
	const clock = new SystemClock();
	const called: string[] = [];

	clock.setTimer(0, () => called.push('cancelled')).cancel();
	await new Promise<void>(resolve => {
		clock.setTimer(1, () => {
			called.push('called');
			resolve();
		});
	});

	t.deepEqual(called, ['called']);
});
