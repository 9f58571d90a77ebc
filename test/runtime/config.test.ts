import test from 'ava';
import {SettingsInvalidError} from '../../lib/index.js';
import {type Flags, findUnknownVariables, readConfig} from '../../runtime/config.js';

test('with nothing set, there are defaults that work', t => {
	t.like(readConfig({}, {}), {
		host: '127.0.0.1',
		port: 7777,
		stateDir: undefined,
		maxRunning: undefined,
		logLevel: 'info',
		maxBodyBytes: 8_388_608,
	});
});

test('a flag wins over a variable, and a variable over the default', t => {
	const environment = {NOHUPD_PORT: '1000', NOHUPD_HOST: '127.0.0.2'};

	const config = readConfig({port: '2000'}, environment);

	t.like(config, {port: 2000, host: '127.0.0.2', logLevel: 'info'});
});

test('seconds become milliseconds', t => {
	const environment = {NOHUPD_GRACE_PERIOD: '2.5', NOHUPD_DEFAULT_TIMEOUT: '60', NOHUPD_MAX_TIMEOUT: '7200'};

	t.like(readConfig({}, environment), {gracePeriod: 2500, defaultTimeout: 60_000, maxTimeout: 7_200_000});
});

test('paths become absolute', t => {
	t.is(readConfig({stateDir: 'state'}, {}).stateDir, `${process.cwd()}/state`);
});

test('an IPv6 address may have the brackets that it has in a URL', t => {
	t.is(readConfig({host: '[::1]'}, {}).host, '::1');
});

const rejects = test.macro((t, flags: Flags, environment: Record<string, string>, sentence: string) => {
	const error = t.throws(() => readConfig(flags, environment), {instanceOf: SettingsInvalidError});

	t.is(error?.message, sentence);
});

test('names a wrong flag', rejects, {port: '65536'}, {}, '--port must be a whole number from 0 to 65535; got "65536"');
test(
	'names a wrong variable',
	rejects,
	{},
	{NOHUPD_PORT: '80a'},
	'NOHUPD_PORT must be a whole number from 0 to 65535; got "80a"',
);
test('names an empty variable', rejects, {}, {NOHUPD_HOST: ''}, 'NOHUPD_HOST must not be empty; got ""');
test(
	'names a log level that is none',
	rejects,
	{},
	{NOHUPD_LOG_LEVEL: 'loud'},
	'NOHUPD_LOG_LEVEL must be one of error, warn, info, debug, silent; got "loud"',
);
test(
	'names a directory that is none',
	rejects,
	{workingDir: '/nowhere/at/all'},
	{},
	'--working-dir must be a directory that exists; got "/nowhere/at/all"',
);
test(
	'keys are not fetched over a network that others can change',
	rejects,
	{jwksUrl: 'http://keys.example/jwks.json'},
	{},
	'--jwks-url must begin with https://; got "http://keys.example/jwks.json"',
);
test(
	'a secret is never shown',
	rejects,
	{},
	{NOHUPD_JWT_SECRET: 'a\0b'},
	'NOHUPD_JWT_SECRET must not contain a NUL character',
);

test('keys may be fetched from this machine itself', t => {
	t.is(readConfig({jwksUrl: 'http://127.0.0.1:8080/jwks.json'}, {}).jwksUrl?.port, '8080');
});

test('a variable that looks like a setting and is none is told with the nearest one', t => {
	const environment = {NOHUPD_PROT: '1', NOHUPD_PORT: '1', NOHUPD_PROCESS_ID: 'proc_1', NOHUPD_TOKEN: 'x', PORT: '1'};

	t.deepEqual(findUnknownVariables(environment), [{variable: 'NOHUPD_PROT', hint: 'did you mean NOHUPD_PORT?'}]);
});
