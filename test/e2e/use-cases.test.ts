import {appendFileSync, readFileSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {TestDaemon} from '../helpers/daemon.js';
import {eventually} from '../helpers/eventually.js';
import {findProcesses} from '../helpers/processes.js';
import {makeStateDir} from '../helpers/state-dir.js';
import {makeTempDir} from '../helpers/temp-dir.js';

const webApp = fileURLToPath(new URL('../../../test/fixtures/web-app/', import.meta.url));

async function freePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1');
	await new Promise(resolve => server.once('listening', resolve));
	const address = server.address();
	await new Promise(resolve => server.close(resolve));
	return typeof address === 'object' && address !== null ? address.port : 0;
}

async function answerOf(port: number): Promise<string | null> {
	try {
		return await (await fetch(`http://127.0.0.1:${port}/`)).text();
	} catch {
		// ECONNREFUSED: nobody listens.
		return null;
	}
}

/** What every use case ends with: it is listed by its name as running, and killed with nothing left. */
async function isListedAndKilled(t: ExecutionContext, daemon: TestDaemon, processId: string, name: string) {
	const [listed] = await daemon.list(`?name=${encodeURIComponent(name)}&status=running`);
	const answer = await daemon.kill(processId);
	const killed = await daemon.get(processId);

	t.like(listed, {process_id: processId, name, status: 'running', exit_code: null, completed_at: null});
	t.is(answer.status, 200);
	t.like(answer.json, {process_id: processId, status: 'killed'});
	t.like(killed, {status: 'killed', reason: 'request'});
	t.deepEqual(findProcesses(`NOHUPD_PROCESS_ID=${processId}`), []);
}

test('a web server answers until it is killed', async t => {
	const daemon = await TestDaemon.open(t, makeStateDir(t));
	const port = await freePort();
	const directory = makeTempDir(t);
	writeFileSync(join(directory, 'index.html'), 'served');

	const {process_id} = await daemon.start({
		command: `python3 -m http.server ${port} --bind 127.0.0.1`,
		working_dir: directory,
		name: 'web-server',
	});
	const answer = await eventually(() => answerOf(port));

	t.is(answer, 'served');
	await isListedAndKilled(t, daemon, process_id, 'web-server');
	t.is(await answerOf(port), null);
});

test('a long loop writes a line a second into a file, for up to two hours', async t => {
	const daemon = await TestDaemon.open(t, makeStateDir(t));
	const log = join(makeTempDir(t), 'progress.log');

	const {process_id} = await daemon.start({
		command: `for i in {1..7200}; do echo "step $i" >> ${log}; sleep 1; done`,
		timeout: 7200,
		name: 'long loop',
	});
	await eventually(
		() => readFileSync(log, {encoding: 'utf8', flag: 'a+'}),
		text => text.includes('step 2\n'),
	);

	await isListedAndKilled(t, daemon, process_id, 'long loop');
});

test('tail -f follows a growing file', async t => {
	const daemon = await TestDaemon.open(t, makeStateDir(t));
	const file = join(makeTempDir(t), 'app.log');
	writeFileSync(file, 'first\n');

	const {process_id} = await daemon.start({command: `tail -f ${file}`, name: 'log-watcher'});
	const shown = (text: string) =>
		eventually(
			() => daemon.get(process_id),
			({stdout}) => stdout === text,
		);
	await shown('first\n');
	appendFileSync(file, 'second\n');
	await shown('first\nsecond\n');

	await isListedAndKilled(t, daemon, process_id, 'log-watcher');
});

test('npm run dev serves a project with the environment it was given', async t => {
	const daemon = await TestDaemon.open(t, makeStateDir(t));
	const port = await freePort();

	const {process_id} = await daemon.start({
		command: 'npm run dev',
		workdir: webApp,
		env: {NODE_ENV: 'development', PORT: String(port)},
		name: 'dev-server',
	});
	const answer = await eventually(() => answerOf(port));

	t.is(answer, 'development');
	await isListedAndKilled(t, daemon, process_id, 'dev-server');
	t.is(await answerOf(port), null);
});
