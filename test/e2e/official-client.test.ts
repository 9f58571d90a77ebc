/** The calls of the official client, each with its result looked at, and no request that was refused or repeated. */
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import type {Sandbox} from '@hopx-ai/sdk';
import test, {type ExecutionContext} from 'ava';
import {TestDaemon} from '../helpers/daemon.js';
import {eventually} from '../helpers/eventually.js';
import {openOfficialClient} from '../helpers/official-client.js';
import {makeStateDir} from '../helpers/state-dir.js';
import {makeTempDir} from '../helpers/temp-dir.js';

interface Surroundings {
	readonly client: Sandbox;
	readonly daemon: TestDaemon;
	readonly workspace: string;
	readonly stateDir: string;
	/** Fails the test unless there were just so many requests, and none with an error. */
	assertRequests(count: number): Promise<void>;
}

async function open(t: ExecutionContext): Promise<Surroundings> {
	const workspace = makeTempDir(t);
	const stateDir = makeStateDir(t);
	const daemon = await TestDaemon.open(t, stateDir, {NOHUPD_WORKSPACE: workspace});
	const client = await openOfficialClient(t, daemon);
	const assertRequests = async (count: number) => {
		const {json} = await daemon.ask('GET', '/metrics/snapshot');
		const {requests_total: requests, error_count: errors} = json as Record<string, number>;
		t.deepEqual({requests, errors}, {requests: count, errors: 0});
	};
	return {client, daemon, workspace, stateDir, assertRequests};
}

/** Its types do not have all that it gives. */
function facts(result: unknown): Record<string, unknown> {
	return result as Record<string, unknown>;
}

test('commands.run waits, and gives output, exit code, pid and time', async t => {
	const {client, workspace, assertRequests} = await open(t);

	const good = await client.commands.run('echo out; echo err >&2; pwd; echo $A', {env: {A: 'value'}});
	const bad = await client.commands.run('exit 3', {workingDir: '/tmp', timeout: 60});

	// On a machine that has the official directory, that is where it runs.
	const directory = existsSync('/workspace') ? '/workspace' : workspace;
	t.like(good, {success: true, stdout: `out\n${directory}\nvalue\n`, stderr: 'err\n', exit_code: 0});
	t.like(bad, {success: false, stdout: '', exit_code: 3});
	t.true(Number(good.execution_time) > 0 && Number(good.pid) > 1);
	await assertRequests(2);
});

test('commands.run tells of a timeout, and of output that is too long to give whole', async t => {
	const {client, assertRequests} = await open(t);

	const late = facts(await client.commands.run('echo begun; sleep 600', {timeout: 1}));
	const long = facts(await client.commands.run('yes | head --bytes=3000000; echo end'));

	t.like(late, {success: false, stdout: 'begun\n', status: 'killed', reason: 'timeout', signal: 'SIGTERM'});
	t.like(long, {success: true, stdout_bytes: 3_000_004, stdout_truncated: true, stderr_truncated: false});
	t.is(String(long['stdout']).length, 1_048_576);
	t.true(String(long['stdout']).endsWith('y\nend\n'));
	await assertRequests(2);
});

test('commands in the background are started, listed and killed', async t => {
	const {client, daemon} = await open(t);

	const one = facts(await client.commands.run('sleep 600', {background: true}));
	const two = facts(await client.commands.runBackground('echo two'));
	await eventually(async () => (await daemon.get(String(two['process_id']))).status === 'completed');
	await client.killProcess(String(one['process_id']));
	const processes = await client.listProcesses();

	t.like(one, {status: 'running'});
	t.deepEqual(
		processes.map(({process_id: id, status, exit_code: exitCode}) => [id, status, exitCode]),
		[
			[two['process_id'], 'completed', 0],
			[one['process_id'], 'killed', 143],
		],
	);
	t.true(
		processes.every(({execution_id: id, started_at: at}) => id?.startsWith('exec_') && !Number.isNaN(Date.parse(at))),
	);
	const {json} = await daemon.ask('GET', '/metrics/snapshot');
	t.like(json, {total_executions: 2, active_executions: 0, error_count: 0});
});

for (const [language, code, stdout] of [
	['bash', 'echo "[$((1 + 1))]"', '[2]\n'],
	['python', 'print([1 + 1])', '[2]\n'],
	['javascript', '-1; console.log([1 + 1].concat())', '[ 2 ]\n'],
] as const) {
	test(`runCodeBackground runs ${language}`, async t => {
		if (language === 'python' && !hasPython()) {
			t.log('skipped: there is no python3');
			t.pass();
			return;
		}

		const {client, daemon} = await open(t);

		const {process_id: id} = await client.runCodeBackground(code, {language, name: 'code', env: {A: '1'}});
		const ended = await eventually(
			() => daemon.get(id),
			({status}) => status !== 'running',
		);

		t.like(ended, {status: 'completed', stdout, stderr: '', name: 'code', language});
	});
}

function hasPython(): boolean {
	try {
		execFileSync('python3', ['--version']);
		return true;
	} catch {
		// ENOENT
		return false;
	}
}

test('listSystemProcesses shows the processes of the machine', async t => {
	const {client, daemon, assertRequests} = await open(t);

	const processes = (await client.listSystemProcesses()).map(facts);
	const [found] = processes.filter(({pid}) => pid === daemon.pid);

	// Node names its main thread differently from version to version.
	t.regex(String(found?.['name']), /\w/);
	t.like(found, {user: execFileSync('id', ['--user', '--name'], {encoding: 'utf8'}).trim()});
	t.regex(String(found?.['command']), /main\.js serve/);
	t.true(Number(found?.['memory_bytes']) > 10_000_000 && Number(found?.['memory_percent']) > 0);
	t.true(Number(found?.['cpu_percent']) > 0);
	await assertRequests(1);
});

test('env sets variables for all later commands, also after a restart', async t => {
	const {client, daemon, stateDir, assertRequests} = await open(t);
	const shown = async () => (await client.commands.run('echo "$A,$B"')).stdout;

	await client.env.update({A: 'one', B: "two'\n"});
	const all = await client.env.getAll();
	const seen = await shown();
	const overridden = await client.commands.run('echo $A', {env: {A: 'mine'}});
	await client.env.set('A', 'three');
	const changed = [await client.env.get('A'), await shown()];
	await client.env.delete('B');
	const replaced = await client.env.setAll({A: 'four'});

	t.deepEqual(all, {A: 'one', B: "two'\n"});
	t.is(seen, "one,two'\n\n");
	t.is(overridden.stdout, 'mine\n');
	t.deepEqual(changed, ['three', "three,two'\n\n"]);
	t.deepEqual(replaced, {A: 'four'});
	await assertRequests(10);
	const path = join(stateDir, 'environment.json');
	t.is(statSync(path).mode & 0o777, 0o600);
	t.deepEqual(JSON.parse(readFileSync(path, 'utf8')), {A: 'four'});

	await daemon.end('SIGKILL');
	const second = await TestDaemon.open(t, stateDir);
	const after = await second.ask('GET', '/env');
	const cleared = await second.ask('DELETE', '/env');
	t.deepEqual([after.json, cleared.json], [{env_vars: {A: 'four'}}, {env_vars: {}}]);
});

test('getHealth, getAgentInfo, getAgentMetrics and getMetricsSnapshot tell of the daemon', async t => {
	const {client, assertRequests} = await open(t);
	await client.commands.run('true');

	const health = await client.getHealth();
	const info = await client.getAgentInfo();
	const metrics = facts(await client.getAgentMetrics());
	const snapshot = await client.getMetricsSnapshot();

	t.like(health, {status: 'ok', version: '0.1.0'});
	t.true(await client.isHealthy());
	t.like(info, {agent: 'nohupd', version: '0.1.0', os: 'linux'});
	t.true(info.uptime_seconds >= 0 && health.uptime_seconds >= 0);
	t.like(metrics, {total_executions: 1, active_executions: 0, requests_total: 3, error_count: 0});
	t.like(snapshot, {total_executions: 1, requests_total: 4});
	t.true(snapshot.uptime_seconds >= 0 && snapshot.avg_duration_ms > 0 && snapshot.p95_duration_ms > 0);
	await assertRequests(6);
});

test('a daemon that is ended while a command runs answers without a 5xx: the client would start it again', async t => {
	const {client, daemon, stateDir} = await open(t);

	const waiting = client.commands.run('echo begun; sleep 600');
	await eventually(async () => (await daemon.list())[0]?.stdout === 'begun\n');
	await daemon.end('SIGTERM');

	t.like(await waiting, {success: false, exit_code: null, status: 'running', stdout: 'begun\n'});
	const second = await TestDaemon.open(t, stateDir);
	const processes = await second.list();
	t.is(processes.length, 1);
	t.is((await second.kill(processes[0]?.process_id ?? '')).status, 200);
});
