import anyTest, {type ExecutionContext} from 'ava';
import stringWidth from 'string-width';
import {runLine} from '../helpers/command-line.js';
import {TestDaemon} from '../helpers/daemon.js';
import {makeStateDir} from '../helpers/state-dir.js';
import {ctrlC, Terminal, terminalProblem} from '../helpers/terminal.js';

/** Skipped where there is no pseudo-terminal, with the reason in the title. */
const test = (title: string, body: (t: ExecutionContext) => Promise<void>) =>
	terminalProblem === null ? anyTest.serial(title, body) : anyTest.skip(`${title} (${terminalProblem})`, body);

const esc = '\u001b';
const isQuiet = (screen: string) => !screen.includes(esc) && !screen.includes('\u009b');

test('somebody runs a command, looks at it, follows it, leaves and ends it', async t => {
	const stateDir = makeStateDir(t);
	const daemon = await TestDaemon.open(t, stateDir);

	const run = Terminal.open(t, stateDir, ['run', '--name', 'server', '--', 'echo ready; sleep 600']);
	t.is(await run.ended, 0);
	const [id = ''] = run.screen.split('\n');

	const ps = Terminal.open(t, stateDir, ['ps'], {env: {NO_COLOR: '1'}});
	t.is(await ps.ended, 0);
	t.regex(ps.screen, new RegExp(`^${id.slice(5, 13)}  server  running  .*echo ready`, 'm'));

	const logs = Terminal.open(t, stateDir, ['logs', '-f', id.slice(5, 13)]);
	await logs.shows('ready\n');
	logs.press(ctrlC);
	t.is(await logs.ended, 130);
	t.true(logs.screen.includes(`${id} runs on: see it with "nohupd logs -f", end it with "nohupd kill"`));
	t.is((await daemon.get(id)).status, 'running');

	const kill = Terminal.open(t, stateDir, ['kill', 'server']);
	t.is(await kill.ended, 0);
	t.regex(kill.screen, /was killed/);
	t.is((await daemon.get(id)).status, 'killed');
});

test('Ctrl-C on run --follow leaves the command alone', async t => {
	const stateDir = makeStateDir(t);
	const daemon = await TestDaemon.open(t, stateDir);

	const follow = Terminal.open(t, stateDir, [
		'run',
		'--follow',
		'trap "echo harmed; exit 1" INT; echo ready; sleep 600',
	]);
	await follow.shows('ready\n');
	const [id = ''] = follow.screen.split('\n');
	follow.press(ctrlC);

	t.is(await follow.ended, 130);
	t.like(await daemon.get(id), {status: 'running', stdout: 'ready\n'});
	await daemon.kill(id);
});

test('on 60 columns no line is longer, and without NO_COLOR there are colours', async t => {
	const stateDir = makeStateDir(t);
	const daemon = await TestDaemon.open(t, stateDir);
	const name = 'a name that is long, 名前, and wide';
	const {process_id: id} = await daemon.start({command: `sleep 600; ${'x'.repeat(500)}`, name});

	const coloured = Terminal.open(t, stateDir, ['ps'], {columns: 60});
	const plain = Terminal.open(t, stateDir, ['ps'], {columns: 60, env: {NO_COLOR: '1'}});
	const dumb = Terminal.open(t, stateDir, ['ps'], {columns: 60, env: {TERM: 'dumb'}});
	await Promise.all([coloured.ended, plain.ended, dumb.ended]);
	const piped = await runLine(t, stateDir, ['ps'], {env: {CI: 'true'}});

	t.true(coloured.screen.includes(`${esc}[32mrunning${esc}[39m`));
	t.true(isQuiet(plain.screen));
	t.true(isQuiet(dumb.screen));
	t.is(plain.screen.trimEnd().split('\n').length, 2);
	for (const line of plain.screen.split('\n')) {
		t.true(stringWidth(line) <= 60, line);
	}

	t.true(isQuiet(piped.stdout.toString()));
	t.true(piped.stdout.toString().includes(`${id}  ${name}`));
	t.true(piped.stdout.toString().includes('x'.repeat(500)));
	await daemon.kill(id);
});

test('what others have written into a command does nothing to the terminal, and output is as it is', async t => {
	const stateDir = makeStateDir(t);
	const daemon = await TestDaemon.open(t, stateDir);
	const command = `printf '\\033[1mbold\\n' # ${esc}[2J\u009b`;
	await daemon.start({command, name: 'evil'});
	const options = {columns: 200, env: {NO_COLOR: '1'}};

	const ps = Terminal.open(t, stateDir, ['ps'], options);
	const json = Terminal.open(t, stateDir, ['ps', '--json'], options);
	const logs = Terminal.open(t, stateDir, ['logs', '-f', 'evil'], options);
	await Promise.all([ps.ended, json.ended, logs.ended]);

	t.true(ps.screen.includes('# \\x1b[2J\\x9b'));
	t.true(isQuiet(ps.screen));
	t.true(isQuiet(json.screen));
	t.is(JSON.parse(json.screen)[0].command, command);
	t.is(logs.screen, `${esc}[1mbold\n`);
});

test('a follow says that the daemon is away, and when it is back', async t => {
	const stateDir = makeStateDir(t);
	const first = await TestDaemon.open(t, stateDir);
	const {process_id: id} = await first.start({command: 'echo ready; sleep 600'});
	const logs = Terminal.open(t, stateDir, ['logs', '-f', id]);
	await logs.shows('ready\n');

	await first.end('SIGKILL');
	await logs.shows('The daemon is away; commands run on. Waiting for it…');
	const second = await TestDaemon.open(t, stateDir);
	await logs.shows('The daemon is back');
	await second.kill(id);

	t.is(await logs.ended, 0);
	t.is(logs.screen.match(/ready/g)?.length, 1);
});
