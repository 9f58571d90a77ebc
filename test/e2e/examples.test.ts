import {execFile, spawn} from 'node:child_process';
import {once} from 'node:events';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {TestDaemon} from '../helpers/daemon.js';
import {makeStateDir} from '../helpers/state-dir.js';
import {makeTempDir} from '../helpers/temp-dir.js';

const examples = fileURLToPath(new URL('../../../test/examples/', import.meta.url));
const run = promisify(execFile);

test('an agent starts a command and goes; the next one finds it, and what it said', async t => {
	const stateDir = makeStateDir(t);
	const agent = async () => (await run(process.execPath, [`${examples}agent.mjs`, stateDir])).stdout;

	const first = await agent();
	const second = await agent();

	const [, id] = /^started (proc_\w+); this agent goes/m.exec(first) ?? [];
	t.regex(first, /^build runs as pid \d+$/m);
	t.true(second.endsWith(`found ${id}: completed, and it said "compiling\\ncompiled\\n"\n`), second);
});

test('the daemon does with curl what its example says', async t => {
	const {url, token} = await TestDaemon.open(t, makeStateDir(t));

	const {stdout} = await run(`${examples}daemon.sh`, [], {env: {...process.env, URL: url, TOKEN: token}});

	t.regex(stdout, /"success":false,"stdout":"hello\\n","stderr":"oops\\n","exit_code":3/);
	t.regex(stdout, /"name":"nap".*"status":"running".*"count":1}/);
	t.regex(stdout, /"status":"killed"/);
});

/** What the watcher tells until it has told so many lines; then it is ended. */
async function watch(t: ExecutionContext, {url, token}: TestDaemon, memory: string, lines: number): Promise<string[]> {
	const child = spawn(process.execPath, [`${examples}watcher.mjs`, memory], {
		env: {...process.env, URL: url, TOKEN: token},
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	t.teardown(() => child.kill('SIGKILL'));
	const exit = once(child, 'exit');
	const told: string[] = [];
	for await (const line of createInterface({input: child.stdout})) {
		if (told.push(line) === lines) {
			child.kill();
		}
	}

	await exit;
	return told;
}

test('a second program is told what becomes of processes, also of what happened while it was away', async t => {
	const daemon = await TestDaemon.open(t, makeStateDir(t));
	const memory = join(makeTempDir(t), 'last-event');
	await daemon.ask('POST', '/commands/run', {command: 'true', name: 'first'});

	const before = await watch(t, daemon, memory, 2);
	await daemon.ask('POST', '/commands/run', {command: 'exit 3', name: 'second'});
	const after = await watch(t, daemon, memory, 2);

	t.deepEqual(before, ['first started: running, exit code null', 'first ended: completed, exit code 0']);
	t.deepEqual(after, ['second started: running, exit code null', 'second ended: failed, exit code 3']);
});
