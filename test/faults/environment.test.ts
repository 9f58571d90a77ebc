import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {type CommandInput, CommandInvalidError, type Supervisor} from '../../lib/index.js';
import {Agent} from '../helpers/agent-client.js';
import {makeStateDir, openSupervisor} from '../helpers/state-dir.js';
import {besides, keeperPid, readLines} from '../helpers/state-files.js';

const values = {
	A_LINES: 'one\ntwo\n\nlast without end',
	A_TRAILING: 'ends with lines\n\n\n',
	A_QUOTES: `'single' "double" \`back\` '' ""`,
	A_SHELL: '$(touch /tmp/no) $PATH $HOME $1 `id` !! ; & | > < * ? [a-z] ~ # {a,b}',
	A_SLASHES: '\\ \\\\ \\n \\xff \\377 \\u00e9 %s %% \\',
	A_TEXT: 'é ü 漢字 🎉 \u{fffd} \u0301',
	A_CONTROLS: '\u0001\u0002\t\r\u001b[31m\u007f\u0085',
	A_SPACES: '  leading, trailing  \t ',
	A_EQUALS: '=a=b=',
	A_EMPTY: '',
};

/** Names that a shell cannot export, sets itself, or obeys: some must go another way. */
const specialNames = [
	...['A.B', 'a-b', 'with space', '1', '%', 'é', "quo'te", '$(x)', 'a\nb', '--', '-u', 'PATH ', 'A[0]', 'A+'],
	...['BASH_FUNC_cd%%', 'BASH_FUNC_exec%%', 'BASH_FUNC_read()'],
	...[
		'UID',
		'EUID',
		'PPID',
		'GROUPS',
		'SHELLOPTS',
		'BASHOPTS',
		'BASHPID',
		'BASH_VERSINFO',
		'BASH_ARGV',
		'BASH_XTRACEFD',
	],
	...['BASH', 'BASH_ENV', 'BASH_COMPAT', 'BASH_LOADABLES_PATH', 'ENV', 'POSIXLY_CORRECT', 'EXECIGNORE', 'GLOBIGNORE'],
	...['PATH', 'IFS', 'HOME', 'PWD', 'OLDPWD', 'SHLVL', '_', 'CDPATH', 'SHELL', 'TMPDIR', 'TERM', 'TZ', 'LANG'],
	...['LC_ALL', 'LC_CTYPE', 'LC_NUMERIC', 'LD_LIBRARY_PATH', 'FUNCNEST', 'TMOUT', 'TIMEFORMAT', 'PS4', 'CHILD_MAX'],
	...['RANDOM', 'SRANDOM', 'SECONDS', 'LINENO', 'EPOCHSECONDS', 'EPOCHREALTIME', 'HISTCMD', 'DIRSTACK', 'FUNCNAME'],
	...['PIPESTATUS', 'COPROC', 'MAPFILE', 'REPLY', 'COMPREPLY', 'COMP_WORDBREAKS', 'COMP_WORDS', 'READLINE_LINE'],
	...[
		'OPTIND',
		'OPTARG',
		'OPTERR',
		'HISTFILE',
		'HISTSIZE',
		'HISTCONTROL',
		'HOSTNAME',
		'HOSTTYPE',
		'MACHTYPE',
		'OSTYPE',
	],
	...['IGNOREEOF', 'PROMPT_COMMAND', 'LINES', 'COLUMNS', 'auto_resume', 'histchars', 'INSIDE_EMACS', 'FIGNORE'],
	// Those of keeper.sh.
	...[
		'state',
		'umask',
		'boot',
		'self',
		'id',
		'run',
		'record',
		'child',
		'code',
		'directory',
		'parent',
		'group',
		'fields',
	],
	...['start_ticks', 'process_state', 'stat', 'descriptor', 'started', 'ended', 'environment', 'timeout', 'silence'],
	...['__proto__', 'constructor', 'toString', 'hasOwnProperty'],
];

const hostile: Record<string, string> = {
	...values,
	...Object.fromEntries(specialNames.map(name => [name, `of ${name}: '\\$(x)\n`])),
	// Only so are they obeyed.
	PATH: '/nowhere',
	IFS: 'a/e0',
	LD_PRELOAD: '/nonexistent.so',
	LC_ALL: 'xx_XX.UTF-8',
	TMOUT: '1',
	FUNCNEST: '1',
	OPTIND: '7',
	CHILD_MAX: '1',
	'BASH_FUNC_exec%%': '() { :; }',
	BASH_ENV: '/dev/null',
};

/** What bash sets for itself on its way to the command. */
const setByShell = ['PWD', 'OLDPWD', 'SHLVL', '_'];

/** The environment block that the kernel was given, as text. */
async function environmentSeenBy(
	t: ExecutionContext,
	supervisor: Supervisor,
	command: CommandInput,
): Promise<Map<string, string>> {
	const {processId} = await supervisor.start(command);
	t.like(await supervisor.wait(processId), {exitCode: 0});
	const block = readFileSync(join(supervisor.stateDir, 'runs', processId, 'stdout'), 'utf8');
	t.true(block.includes(`NOHUPD_PROCESS_ID=${processId}\0`));
	// A name may begin with "=" nowhere, so the first one parts it from its value.
	const entries = block.split('\0').slice(0, -1);
	t.is(new Set(entries.map(nameOf)).size, entries.length, 'no name twice');
	return new Map(entries.map(entry => [nameOf(entry), entry.slice(nameOf(entry).length + 1)]));
}

function nameOf(entry: string): string {
	return entry.slice(0, entry.indexOf('='));
}

/** What of `env` did not arrive as it was given, and what arrived though nobody gave it. */
function differences(seen: Map<string, string>, env: Record<string, string>): string[] {
	const isExpected = (name: string) =>
		Object.hasOwn(env, name) || name in process.env || name === 'NOHUPD_PROCESS_ID' || setByShell.includes(name);
	return [
		...Object.keys(env).filter(name => seen.get(name) !== env[name]),
		...[...seen.keys()].filter(name => !isExpected(name)),
	];
}

const arrives = test.macro(async (t, command: CommandInput, env: Record<string, string>) => {
	const supervisor = await openSupervisor(t);
	const keeper = await keeperPid(supervisor.stateDir);

	const seen = await environmentSeenBy(t, supervisor, {...command, env});
	const {processId} = await supervisor.start({command: 'echo "$((1 + 1))"'});
	await supervisor.wait(processId);

	t.deepEqual(differences(seen, env), []);
	t.like(await supervisor.get(processId), {exitCode: 0, stdout: '2\n'});
	t.is(await keeperPid(supervisor.stateDir), keeper);
});

const program = {command: '/bin/cat', args: ['/proc/self/environ']};
// The last command of a line takes the place of its shell; this one must be asked for what it was given.
const line = {command: '/bin/cat "/proc/$$/environ"; :'};

test('6: every variable reaches a program byte for byte, and the keeper works on', arrives, program, hostile);
test('6: every variable reaches a shell line byte for byte, and the keeper works on', arrives, line, {
	...hostile,
	// Bash itself refuses to run with these: that is what they are for.
	SHELLOPTS: 'braceexpand:hashall',
	BASHOPTS: 'cmdhist',
	'BASH_FUNC_exec%%': 'no function',
});
test('6: usual names with any values reach a program byte for byte', arrives, program, values);
test('6: usual names with any values reach a shell line byte for byte', arrives, line, values);

test('6: each variable alone reaches a program byte for byte', async t => {
	const supervisor = await openSupervisor(t);

	const wrong = await Promise.all(
		Object.entries(hostile).map(async ([name, value]) =>
			differences(await environmentSeenBy(t, supervisor, {...program, env: {[name]: value}}), {[name]: value}),
		),
	);

	t.deepEqual(wrong.flat(), []);
});

test('6: SHELLOPTS=noexec changes the command that asked for it, and no other', async t => {
	const supervisor = await openSupervisor(t);

	const silent = await supervisor.start({command: 'echo ran', env: {SHELLOPTS: 'noexec'}});
	await supervisor.wait(silent.processId);
	const next = await supervisor.start({command: 'echo ran'});
	await supervisor.wait(next.processId);

	t.like(await supervisor.get(silent.processId), {exitCode: 0, stdout: ''});
	t.like(await supervisor.get(next.processId), {exitCode: 0, stdout: 'ran\n'});
});

test('6: BASH_ENV is read by the command that asked for it, not by the keeper', async t => {
	const supervisor = await openSupervisor(t);
	const noted = besides(supervisor.stateDir, 'noted');

	const {processId} = await supervisor.start({
		command: 'true',
		env: {BASH_ENV: '/proc/self/fd/0', 'A.B': '$(x)', PATH: `$(echo x >>'${noted}')`},
	});
	await supervisor.wait(processId);

	t.deepEqual(readLines(noted), []);
});

test('6: a program whose path has "=" in it runs, and is refused with a name that only env(1) can set', async t => {
	const supervisor = await openSupervisor(t);
	const path = besides(supervisor.stateDir, 'a=b');
	const link = await supervisor.start({command: `ln -s /bin/cat '${path}'`});
	await supervisor.wait(link.processId);

	const seen = await environmentSeenBy(t, supervisor, {...program, command: path, env: {C: 'y'}});

	t.is(seen.get('C'), 'y');
	await t.throwsAsync(supervisor.start({...program, command: path, env: {'A.B': 'x'}}), {
		instanceOf: CommandInvalidError,
		message: /^command must not contain "="/,
	});
	t.is((await supervisor.list()).processes.length, 2);
});

test('6: what stands in the agent’s own environment reaches commands, and never changes the keeper', async t => {
	const stateDir = makeStateDir(t);
	const noted = besides(stateDir, 'noted');
	const env = {
		BASH_ENV: `$(echo x >>'${noted}')`,
		SHELLOPTS: 'noexec',
		POSIXLY_CORRECT: '1',
		IFS: 'abc',
		PATH: '/nowhere',
		CDPATH: '/',
		'BASH_FUNC_read%%': '() { echo hijacked; }',
		'A.B': 'x',
		NOTIFY_SOCKET: '/run/x',
		NOHUPD_JWT_SECRET: 'secret',
	};
	const agent = await Agent.open(t, stateDir, {}, {env});

	const {processId} = await agent.start(program);
	await agent.wait(processId);
	const entries = (await agent.get(processId)).stdout.split('\0');
	await agent.close();

	t.deepEqual(
		Object.entries(env).filter(([name, value]) => !entries.includes(`${name}=${value}`)),
		[
			['NOTIFY_SOCKET', '/run/x'],
			['NOHUPD_JWT_SECRET', 'secret'],
		],
	);
	t.deepEqual(readLines(noted), []);
});
