import {execFile, execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {eventually} from '../helpers/eventually.js';
import {findProcesses} from '../helpers/processes.js';
import {makeTempDir} from '../helpers/temp-dir.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');
const run = promisify(execFile);

/** The code blocks of one language, in their order. */
function blocks(language: string): string[] {
	return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code ?? '');
}

const [startBlock = '', testBlock = '', curlBlock = '', commandLineBlock = ''] = blocks('sh');
const [libraryBlock = '', outputBlock = '', eventsBlock = ''] = blocks('ts');

/** `npm start` as the README says, in this checkout; the port is a free one and the state is the test's. */
async function npmStart(t: ExecutionContext) {
	const home = makeTempDir(t);
	const env = {...process.env, XDG_STATE_HOME: home, NOHUPD_PORT: '0'};
	const child = spawn('npm', ['start'], {cwd: root, env, detached: true, stdio: ['ignore', 'pipe', 'ignore']});
	t.teardown(async () => {
		process.kill(-(child.pid ?? 0), 'SIGKILL');
		await eventually(
			() => findProcesses(home, 'cmdline'),
			found => found.length === 0,
		);
	});
	const lines: string[] = [];
	createInterface({input: child.stdout}).on('line', line => lines.push(line));
	await Promise.race([
		eventually(() => lines.some(line => line.includes('curl ')), Boolean, 60_000),
		once(child, 'exit').then(() => Promise.reject(new Error('npm start has ended'))),
	]);
	const port = /http:\/\/127\.0\.0\.1:(\d+)/.exec(lines.join('\n'))?.[1] ?? '';
	return {env, port, lines};
}

test('CI runs the command for the tests, and the command to start is the one tried here', t => {
	t.is(testBlock.trim(), 'npm ci && npm test');
	t.is(startBlock.trim(), 'npm ci && npm start');
	t.true(readFileSync(`${root}.ci/run`, 'utf8').includes(`\n${testBlock.trim()}\n`));
});

test('npm start brings the daemon up, and the curl lines of the README and of its own greeting work', async t => {
	const {env, port, lines} = await npmStart(t);

	const readmeOutput = execFileSync('bash', ['-e'], {
		cwd: root,
		env,
		input: curlBlock.replaceAll(':7777', `:${port}`),
		encoding: 'utf8',
	});
	const greeting = lines.find(line => line.includes('curl ')) ?? '';
	const greetingOutput = execFileSync('bash', ['-e'], {cwd: '/', env: process.env, input: greeting, encoding: 'utf8'});

	t.regex(readmeOutput, /^\{"process_id":"proc_\w+","execution_id":"exec_\w+","status":"running"\}/);
	t.regex(readmeOutput, /"count":1/);
	t.regex(readmeOutput, /"name":"build"/);
	t.regex(greetingOutput, /^\{"process_id":"proc_\w+"/);
});

test('the command line of the README works', async t => {
	const {env} = await npmStart(t);

	const output = execFileSync('bash', ['-e'], {cwd: root, env, input: commandLineBlock, encoding: 'utf8'});

	t.regex(output, /^proc_\w+\nproc_\w+\n1\n2\n3\nID .*\nproc_\w+ +idle +running .*\nproc_\w+ +count +completed /);
	t.regex(output, /\nProcess proc_\w+ was killed: .*\n$/);
});

async function runExample(t: ExecutionContext, name: string, code: string): Promise<string> {
	// Inside the package, so that it finds itself by its name.
	const file = `${root}dist/test/e2e/readme-${name}.mjs`;
	writeFileSync(file, code);
	t.teardown(() => rmSync(file));
	const {stdout} = await run(process.execPath, [file], {cwd: makeTempDir(t)});
	return stdout;
}

test('the example of the library runs', async t => {
	const output = await runExample(t, 'library', libraryBlock);

	t.is(output, 'completed 0 hello\n\n');
});

test('the example with output runs', async t => {
	t.is(await runExample(t, 'output', outputBlock), '1\n2\n3\n');
});

test('the example with events runs', async t => {
	const output = await runExample(t, 'events', eventsBlock);

	t.regex(output, /^three runs as pid \d+\nthree failed: exited\n$/);
});
