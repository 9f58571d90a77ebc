import test from 'ava';
import {SettingsInvalidError} from '../../lib/opening-errors.js';
import {parseSettings, type SupervisorOptions} from '../../lib/settings.js';

test('every setting but the state directory has a default', t => {
	t.deepEqual(parseSettings({stateDir: '/state'}), {
		maxRunning: Number.POSITIVE_INFINITY,
		maxQueued: 1000,
		gracePeriodMs: 5000,
		defaultTimeoutMs: 300_000,
		maxTimeoutMs: null,
		containment: 'auto',
		output: {maxStreamBytes: 67_108_864, maxTotalBytes: 2_147_483_648, reserveBytes: 33_554_432},
		retention: {maxAgeMs: 604_800_000, maxEnded: 10_000},
	});
});

test('settings that are given win', t => {
	const settings = {
		maxRunning: 4,
		maxQueued: 0,
		gracePeriodMs: 0,
		defaultTimeoutMs: 0,
		maxTimeoutMs: 7_200_000,
		containment: 'session',
		output: {maxStreamBytes: 65_536, maxTotalBytes: 1_048_576, reserveBytes: 0},
		retention: {maxAgeMs: 0, maxEnded: Number.POSITIVE_INFINITY},
	} as const;

	t.deepEqual(parseSettings({stateDir: '/state', ...settings}), settings);
});

test('a setting that is undefined was not given', t => {
	t.deepEqual(parseSettings({stateDir: '/state', maxRunning: undefined}), parseSettings({stateDir: '/state'}));
});

test('no limit of running processes can be said', t => {
	t.is(parseSettings({stateDir: '/state', maxRunning: Number.POSITIVE_INFINITY}).maxRunning, Number.POSITIVE_INFINITY);
});

const refuses = test.macro({
	exec(t, options: object, message: string) {
		const error = t.throws(() => parseSettings({stateDir: '/state', ...options} as SupervisorOptions), {
			instanceOf: SettingsInvalidError,
		});

		t.like(error, {setting: message.split(' ')[0], message});
	},
	title: (_, options) => `refused by name and value: ${JSON.stringify(options)}`,
});

test(refuses, {output: {maxStreamBytes: 1}}, 'output.maxStreamBytes must be at least 65536; got 1');
test(refuses, {maxRunning: 0}, 'maxRunning must be at least 1; got 0');
test(refuses, {maxRunning: '4'}, 'maxRunning must be a whole number, 1 or more; got 4');
test(refuses, {maxRunning: 1.5}, 'maxRunning must be a whole number; got 1.5');
test(refuses, {maxQueued: -1}, 'maxQueued must be at least 0; got -1');
test(refuses, {maxQueued: '1'}, 'maxQueued must be a number; got 1');
test(refuses, {retention: {maxAgeMs: -1}}, 'retention.maxAgeMs must be at least 0; got -1');
test(refuses, {retention: {maxEnded: '1'}}, 'retention.maxEnded must be a whole number, 0 or more; got 1');
test(refuses, {gracePeriodMs: -5}, 'gracePeriodMs must be at least 0; got -5');
test(refuses, {gracePeriodMs: 86_400_001}, 'gracePeriodMs must be at most 86400000; got 86400001');
test(refuses, {defaultTimeoutMs: 0.5}, 'defaultTimeoutMs must be a whole number; got 0.5');
test(refuses, {maxTimeoutMs: 0}, 'maxTimeoutMs must be at least 1; got 0');
test(refuses, {stateDir: ''}, 'stateDir must be the path of a directory');
test(refuses, {stateDir: 5}, 'stateDir must be the path of a directory');
test(refuses, {stateDir: 'a\0b'}, 'stateDir must be the path of a directory');

test(
	refuses,
	{bogus: 1},
	'bogus is not a known setting; known are stateDir, workingDir, logger, ports, maxRunning, maxQueued, gracePeriodMs, defaultTimeoutMs, maxTimeoutMs, output, containment, retention',
);
test(refuses, {gracePeriod: 5}, 'gracePeriod is not a known setting; did you mean gracePeriodMs?');
test(refuses, {output: {maxBytes: 5}}, 'output.maxBytes is not a known setting; did you mean maxTotalBytes?');
test(refuses, {retention: {maxAge: 5}}, 'retention.maxAge is not a known setting; did you mean maxAgeMs?');
test(refuses, {retention: 5}, 'retention must be an object of settings; got 5');
test(refuses, {ports: {clok: () => null}}, 'ports.clok is not a known setting; did you mean clock?');
test(
	refuses,
	{ports: {clock: {}}},
	'ports.clock must be a function that is given the part it replaces; got [object Object]',
);
test(refuses, {workingDir: 5}, 'workingDir must be the path of a directory; got 5');

test('not a number at all is refused', t => {
	t.throws(() => parseSettings({stateDir: '/state', gracePeriodMs: Number.NaN}), {instanceOf: SettingsInvalidError});
});
