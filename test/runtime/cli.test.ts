import {type ChildProcess, execFile, spawn} from 'node:child_process';
import {once} from 'node:events';
import {chmodSync, readFileSync, rmSync} from 'node:fs';
import {Agent, createServer, request as httpRequest} from 'node:http';
import type {AddressInfo} from 'node:net';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {eventually} from '../helpers/eventually.js';
import {ask, mint} from '../helpers/http-server.js';
import {makeStateDir} from '../helpers/state-dir.js';

/** Far above what it takes, and far below what it would take if the promise broke; machines are busy. */
const patienceMs = 10_000;

const main = fileURLToPath(new URL('../../runtime/main.js', import.meta.url));
const run = promisify(execFile);

interface Outcome {
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
}

/** Without the settings of whoever runs the tests. */
function cleanEnvironment(added: Record<string, string> = {}): NodeJS.ProcessEnv {
	const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('NOHUPD_'));
	return {...Object.fromEntries(inherited), ...added};
}

/** A command line that ends by itself. */
async function nohupd(words: string[], environment: Record<string, string> = {}): Promise<Outcome> {
	return run(process.execPath, [main, ...words], {env: cleanEnvironment(environment)}).then(
		({stdout, stderr}) => ({code: 0, stdout, stderr}),
		({code, stdout, stderr}) => ({code, stdout, stderr}),
	);
}

interface Serving {
	readonly child: ChildProcess;
	readonly port: number;
	readonly stdout: () => string;
	readonly stderr: () => string;
}

/** A real daemon on a free port. */
async function serve(
	t: ExecutionContext,
	stateDir: string,
	words: string[] = [],
	environment: Record<string, string> = {},
): Promise<Serving> {
	const child = spawn(process.execPath, [main, 'serve', '--port', '0', '--state-dir', stateDir, ...words], {
		env: cleanEnvironment(environment),
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	t.teardown(async () => {
		if (child.exitCode === null && child.signalCode === null) {
			child.kill('SIGKILL');
			await once(child, 'exit');
		}
	});
	let stdout = '';
	let stderr = '';
	child.stdout.on('data', chunk => {
		stdout += chunk;
	});
	child.stderr.on('data', chunk => {
		stderr += chunk;
	});
	await eventually(() => stdout.endsWith('/commands/background\n'));
	const port = Number(/^nohupd listening on .*:(\d+)$/m.exec(stdout)?.[1]);
	return {child, port, stdout: () => stdout, stderr: () => stderr};
}

test('says which version it is', async t => {
	const {version} = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));

	t.deepEqual(await nohupd(['--version']), {code: 0, stdout: `${version}\n`, stderr: ''});
});

test('the help of serve names every flag and variable', async t => {
	const {code, stdout} = await nohupd(['serve', '--help']);

	t.is(code, 0);
	t.regex(stdout, /--port <number>\s.*NOHUPD_PORT; default\s+7777/s);
	t.regex(stdout, /--jwks-url <url>/);
	t.regex(stdout, /NOHUPD_JWT_SECRET/);
});

test('an unknown flag is told with the nearest one', async t => {
	const {code, stderr} = await nohupd(['serve', '--prot', '1']);

	t.is(code, 1);
	t.regex(stderr, /unknown option '--prot'\n\(Did you mean --port\?\)/);
});

test('the printed curl line works when pasted, and the command runs', async t => {
	const stateDir = makeStateDir(t);
	const {port, stdout} = await serve(t, stateDir);
	const line =
		stdout()
			.split('\n')
			.find(candidate => candidate.trim().startsWith('curl ')) ?? '';

	// Another terminal: another directory, no settings, no token.
	const {stdout: answer} = await run('bash', ['-c', line], {cwd: '/', env: {PATH: '/usr/bin:/bin', HOME: '/'}});

	t.regex(stdout(), new RegExp(`^nohupd listening on http://127\\.0\\.0\\.1:${port}\n`));
	const {process_id: id, status} = JSON.parse(answer);
	t.is(status, 'running');
	const {stdout: token} = await nohupd(['token', '--state-dir', stateDir]);
	const {json} = await eventually(
		() => ask(port, 'GET', `/execute/processes/${id}`, {token: token.trim()}),
		({json}) => json['status'] === 'completed',
	);
	t.is(json['stdout'], 'hello\n');
});

test('SIGTERM ends it in less than a second with exit code 0, and a second one does no harm', async t => {
	const {child, port, stderr} = await serve(t, makeStateDir(t));
	await ask(port, 'GET', '/ping', {token: null});

	const startedAt = performance.now();
	child.kill('SIGTERM');
	child.kill('SIGTERM');
	const [code, signal] = await once(child, 'close');

	t.deepEqual({code, signal}, {code: 0, signal: null});
	t.true(performance.now() - startedAt < patienceMs);
	t.is(stderr().match(/Shutting down/g)?.length, 1);
});

test('SIGHUP reads the key again, and a key that cannot be read changes nothing', async t => {
	const stateDir = makeStateDir(t);
	const {child, port, stderr} = await serve(t, stateDir);
	const mintOne = async () => (await nohupd(['token', '--state-dir', stateDir])).stdout.trim();
	const statusOf = async (token: string) => (await ask(port, 'GET', '/execute/processes', {token})).status;
	const first = await mintOne();

	chmodSync(join(stateDir, 'key'), 0o644);
	child.kill('SIGHUP');
	await eventually(() => stderr().includes('could not be read again'));
	const afterBad = await statusOf(first);
	rmSync(join(stateDir, 'key'));
	child.kill('SIGHUP');
	await eventually(() => stderr().includes('was read again'));

	t.is(afterBad, 200);
	t.deepEqual([await statusOf(first), await statusOf(await mintOne())], [401, 200]);
});

test('SIGTERM does not wait for a connection on which nothing happens', async t => {
	const {child, port} = await serve(t, makeStateDir(t));
	const answer = fetch(`http://127.0.0.1:${port}/ping`, {headers: {connection: 'keep-alive'}});
	await (await answer).text();

	const startedAt = performance.now();
	child.kill('SIGINT');
	const [code] = await once(child, 'exit');

	t.is(code, 0);
	t.true(performance.now() - startedAt < patienceMs);
});

test('a standard error that nobody reads holds back neither requests nor the end', async t => {
	const {child, port} = await serve(t, makeStateDir(t), ['--log-level', 'debug']);
	child.stderr?.pause();
	const agent = new Agent({keepAlive: true});
	t.teardown(() => agent.destroy());
	// More lines than any pipe holds.
	for (let count = 0; count < 4000; count++) {
		const request = httpRequest({port, agent, path: '/ping'}).end();
		const [response] = await once(request, 'response');
		await once(response.resume(), 'end');
	}

	const startedAt = performance.now();
	child.kill('SIGTERM');
	await once(child, 'exit');

	t.true(performance.now() - startedAt < patienceMs);
});

test('neither secret nor token is ever in the log', async t => {
	const secret = 'hunter2 is our secret, and long enough';
	const {child, port, stdout, stderr} = await serve(t, makeStateDir(t), ['--log-level', 'debug'], {
		NOHUPD_JWT_SECRET: secret,
		NOHUPD_JWT_SECRT: secret,
	});
	const token = await mint({}, Buffer.from(secret));
	const bad = await mint({exp: 1}, Buffer.from(secret));

	const {json} = await ask(port, 'POST', '/commands/background', {
		token,
		body: {command: 'echo hunter2; echo $KEY', env: {KEY: 'hunter2'}},
	});
	await ask(port, 'GET', `/execute/processes/${json['process_id']}`, {token});
	await ask(port, 'GET', `/execute/processes?access_token=${token}`, {token: bad});
	child.kill('SIGTERM');
	await once(child, 'close');

	t.regex(stderr(), /NOHUPD_JWT_SECRT is not a known setting; did you mean NOHUPD_JWT_SECRET\?/);
	t.regex(stderr(), /ERR_JWT_EXPIRED/);
	for (const text of ['hunter2', ...token.split('.'), ...bad.split('.')]) {
		t.false((stdout() + stderr()).includes(text), text);
	}
});

test('who can be reached from elsewhere is warned', async t => {
	const {stderr} = await serve(t, makeStateDir(t), ['--host', '0.0.0.0']);

	t.regex(await eventually(stderr), /"level":"warn".*Others can reach this port/);
});

const fails = test.macro(
	async (t, words: string[], environment: Record<string, string>, sentence: (stateDir: string) => RegExp) => {
		const stateDir = makeStateDir(t);

		const {code, stdout, stderr} = await nohupd(
			['serve', '--port', '0', '--state-dir', stateDir, ...words],
			environment,
		);

		t.is(code, 1);
		t.is(stdout, '');
		t.regex(stderr, sentence(stateDir));
		// One sentence, no stack trace.
		t.is(stderr.split('\n').length, 2);
	},
);

test('a wrong flag stops the start', fails, ['--max-running', '0'], {}, () => /^--max-running must be .*; got "0"\n$/);
test(
	'a wrong variable stops the start',
	fails,
	[],
	{NOHUPD_HOST: ''},
	() => /^NOHUPD_HOST must not be empty; got ""\n$/,
);
test(
	'a short secret stops the start',
	fails,
	[],
	{NOHUPD_JWT_SECRET: 'short'},
	() => /has 5 bytes.*RFC 7518 section 3\.2/,
);
test(
	'a host of another machine stops the start',
	fails,
	['--host', '192.0.2.1'],
	{},
	() => /^192\.0\.2\.1 is not an address/,
);
test(
	'a host without an address stops the start',
	fails,
	['--host', 'nowhere.invalid'],
	{},
	() => /^nowhere\.invalid is not an/,
);

test('a port that is taken stops the start', async t => {
	const other = createServer().listen(0, '127.0.0.1');
	t.teardown(() => other.close());
	await once(other, 'listening');
	const {port} = other.address() as AddressInfo;

	const {code, stderr} = await nohupd(['serve', '--port', String(port), '--state-dir', makeStateDir(t)]);

	t.is(code, 1);
	t.regex(stderr, new RegExp(`^Port ${port} of 127\\.0\\.0\\.1 is in use by another program: .*--port.*\n$`));
});

test('a state directory that is taken stops the start, and names who has it', async t => {
	const stateDir = makeStateDir(t);
	const {child} = await serve(t, stateDir);

	const {code, stderr} = await nohupd(['serve', '--port', '0', '--state-dir', stateDir]);

	t.is(code, 1);
	t.regex(stderr, new RegExp(`in use by another supervisor, pid ${child.pid}\n$`));
});
