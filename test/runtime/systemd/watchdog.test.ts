import test from 'ava';
import {readWatchdogMs, Watchdog} from '../../../runtime/systemd/watchdog.js';
import {eventually} from '../../helpers/eventually.js';
import {RecordingLogger} from '../../helpers/recording-logger.js';

const wants = test.macro((t, environment: Record<string, string>, expected: number | null) => {
	t.is(readWatchdogMs(environment, 42), expected);
});

test('microseconds are milliseconds', wants, {WATCHDOG_USEC: '3000000', WATCHDOG_PID: '42'}, 3000);
test('without a pid it is meant for us', wants, {WATCHDOG_USEC: '3000000'}, 3000);
test('another pid is another process', wants, {WATCHDOG_USEC: '3000000', WATCHDOG_PID: '43'}, null);
test('nothing wanted', wants, {}, null);
test('nonsense is nothing wanted', wants, {WATCHDOG_USEC: 'soon'}, null);

/** Looks and pings of a watchdog with a short interval, and what it logs. */
function watch(t: {teardown(work: () => void): void}, look: () => Promise<unknown>) {
	const seen = {looks: 0, pings: 0, logger: new RecordingLogger()};
	const watchdog = new Watchdog(
		() => {
			seen.looks++;
			return look();
		},
		async () => {
			seen.pings++;
		},
		seen.logger,
	);
	watchdog.open(15);
	// Unlike the daemon, a test has nothing else that keeps it running.
	const keepAlive = setInterval(() => undefined, 1000);
	t.teardown(() => {
		clearInterval(keepAlive);
		watchdog.close();
	});
	return {seen, watchdog};
}

test('systemd hears of us again and again while the store answers', async t => {
	const {seen} = watch(t, async () => undefined);

	t.true(await eventually(() => seen.pings > 3));
});

test('a store that fails is told in the log, and not to systemd', async t => {
	const {seen} = watch(t, async () => {
		throw new Error('disk I/O error');
	});

	await eventually(() => seen.logger.entries.length > 2);

	t.is(seen.pings, 0);
	t.is(seen.logger.entries[0]?.level, 'error');
});

test('a store that never answers is asked once, and systemd hears nothing', async t => {
	const {seen} = watch(t, () => new Promise(() => undefined));
	const other = watch(t, async () => undefined);

	await eventually(() => other.seen.pings > 5);

	t.deepEqual([seen.looks, seen.pings], [1, 0]);
});

test('closed, it is silent', async t => {
	const {seen, watchdog} = watch(t, async () => undefined);
	const other = watch(t, async () => undefined);
	watchdog.close();

	await eventually(() => other.seen.pings > 3);

	t.is(seen.pings, 0);
});
