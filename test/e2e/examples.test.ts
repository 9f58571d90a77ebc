import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import test from 'ava';
import {TestDaemon} from '../helpers/daemon.js';
import {makeStateDir} from '../helpers/state-dir.js';

const examples = fileURLToPath(new URL('../../../examples/', import.meta.url));
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
