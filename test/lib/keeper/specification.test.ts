import {spawnSync} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {findPrograms} from '../../../lib/keeper/programs.js';
import {quote, readSpecification, type SpecifiedProcess, specify} from '../../../lib/keeper/specification.js';
import type {Command} from '../../../lib/process.js';
import {aQueuedProcess} from '../../helpers/a-process.js';
import {makeTempDir} from '../../helpers/temp-dir.js';

const programs = findPrograms();
const longest = 131_071;

function aProcess(command: Partial<Command> = {}): SpecifiedProcess {
	const {sequence, ...process} = aQueuedProcess({command: {workingDir: '/', ...command}});
	return process;
}

const place = {linePath: '/nowhere/line', gracePeriodMs: 5000, programs};
const noEnvironment = new Map<string, string>();

/** What a real bash understands: directory, name, program and arguments, as the shim finds them. */
function readByBash(t: ExecutionContext, text: string): string[] {
	return runBash(t, text, `. "$1"; printf '%s\\0' "$directory" "$@"`);
}

/** What the command prints, items ended by NUL, when a real bash becomes it as the shim does. */
function runByBash(t: ExecutionContext, text: string): string[] {
	return runBash(t, text, `. "$1"; environment 2>/dev/null; exec -a "$1" -- "\${@:2}"`);
}

function runBash(t: ExecutionContext, text: string, script: string): string[] {
	const directory = makeTempDir(t);
	writeFileSync(join(directory, 'spec'), text);
	// In the locale "C", and in functions, as in keeper.sh.
	const line = `main() { LC_ALL=C; shim "$1"; }; shim() { local directory=; ${script}; }; main "$1"`;
	const {stdout, stderr, status} = spawnSync(
		programs.bash,
		['--noprofile', '--norc', '-c', line, 'bash', join(directory, 'spec')],
		// As a command has it; from a socket bash would read ~/.bashrc (bash(1), "INVOCATION").
		{env: {}, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']},
	);
	t.deepEqual({stderr, status}, {stderr: '', status: 0});
	return stdout.split('\0').slice(0, -1);
}

/** The environment that a command finds. */
function environmentByBash(t: ExecutionContext, environment: Readonly<Record<string, string>>): Map<string, string> {
	const process = aProcess({line: programs.env, args: ['-0']});
	const entries = runByBash(t, specify(process, new Map(Object.entries(environment)), place).text);
	return new Map(
		entries.map(entry => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)] as const),
	);
}

function pick(environment: ReadonlyMap<string, string>, names: Iterable<string>): Record<string, string | undefined> {
	return Object.fromEntries([...names].map(name => [name, environment.get(name)]));
}

/** U+0001 to U+00FF one by one: every byte of ASCII, and UTF-8's own. */
const characters = Array.from({length: 255}, (_, index) => String.fromCodePoint(index + 1));

const nastyTexts = [
	'',
	' ',
	"'",
	"''",
	"'''",
	'"',
	"it's",
	'\\',
	"\\'",
	"'\\''",
	'\\\n',
	'\n',
	'\n\n',
	'trailing newline\n',
	'\r\n',
	'\t',
	'$(touch /tmp/owned)',
	'`id`',
	"$HOME $((1+1)) $'\\x41'",
	'*?[a-z]{a,b}~',
	'# no comment',
	'a;b&c|d>e<f(g)h!i',
	'-n',
	'--',
	'}',
	"'\n}\nrm",
	'EOF',
	'é ü 漢 \u{1f600} \u{10ffff}',
	'\u2028\u2029\u0085\ufeff',
	'\u0001\u007f\u0001',
];

test('a shell line is run by bash -c', t => {
	const {text, line} = specify(aProcess({line: 'npm run dev', workingDir: '/srv/app'}), noEnvironment, place);

	t.is(line, null);
	t.deepEqual(readByBash(t, text), ['/srv/app', 'bash', programs.bash, '-c', 'npm run dev']);
});

test('with args the program runs itself, under the name it was called by', t => {
	const {text} = specify(aProcess({line: 'node', args: ['server.js', '', '-c']}), noEnvironment, place);

	t.deepEqual(readByBash(t, text), ['/', 'node', 'node', 'server.js', '', '-c']);
});

test('a program without any arguments keeps it so', t => {
	const {text} = specify(aProcess({line: 'top', args: []}), noEnvironment, place);

	t.deepEqual(readByBash(t, text), ['/', 'top', 'top']);
});

test('every character reaches an argument unchanged, alone and in company', t => {
	const args = [...characters, ...characters.map(character => `a${character}${character}b`), characters.join('')];

	const {text} = specify(aProcess({line: 'echo', args}), noEnvironment, place);

	t.deepEqual(readByBash(t, text).slice(3), args);
});

test('quotes, newlines, $() and backslashes reach line, arguments, directory and values unchanged', t => {
	for (const nasty of nastyTexts) {
		const line = specify(aProcess({line: nasty, workingDir: `/${nasty}`}), new Map([['V', nasty]]), place).text;

		t.deepEqual(readByBash(t, line), [`/${nasty}`, 'bash', programs.bash, '-c', nasty]);
	}

	const {text} = specify(aProcess({line: 'echo', args: nastyTexts}), noEnvironment, place);

	t.deepEqual(readByBash(t, text).slice(3), nastyTexts);
});

test('every character reaches a value of the environment unchanged', t => {
	const given = Object.fromEntries(characters.map((character, index) => [`C${index}`, `a${character}${character}b`]));

	const environment = environmentByBash(t, {...given, ALL: characters.join('')});

	t.deepEqual(pick(environment, Object.keys(given)), given);
	t.is(environment.get('ALL'), characters.join(''));
});

test('quotes, newlines, $() and backslashes reach the environment unchanged, whatever way the name goes', t => {
	const plain = Object.fromEntries(nastyTexts.map((value, index) => [`PLAIN_${index}`, value]));
	const special = Object.fromEntries(nastyTexts.map((value, index) => [`special-${index}`, value]));

	const environment = environmentByBash(t, {...plain, ...special});

	t.deepEqual(pick(environment, Object.keys(plain)), plain);
	t.deepEqual(pick(environment, Object.keys(special)), special);
});

// bash(1), "Shell Variables": those that it sets and those that it uses.
const shellVariables = `
	_ BASH BASHOPTS BASHPID BASH_ALIASES BASH_ARGC BASH_ARGV BASH_ARGV0 BASH_CMDS BASH_COMMAND BASH_EXECUTION_STRING
	BASH_LINENO BASH_LOADABLES_PATH BASH_REMATCH BASH_SOURCE BASH_SUBSHELL BASH_VERSINFO BASH_VERSION COMP_CWORD
	COMP_KEY COMP_LINE COMP_POINT COMP_TYPE COMP_WORDBREAKS COMP_WORDS COPROC DIRSTACK EPOCHREALTIME EPOCHSECONDS EUID
	FUNCNAME GROUPS HISTCMD HOSTNAME HOSTTYPE LINENO MACHTYPE MAPFILE OLDPWD OPTARG OPTIND OSTYPE PIPESTATUS PPID PWD
	RANDOM READLINE_ARGUMENT READLINE_LINE READLINE_MARK READLINE_POINT REPLY SECONDS SHELLOPTS SHLVL SRANDOM UID
	BASH_COMPAT BASH_ENV BASH_XTRACEFD CDPATH CHILD_MAX COLUMNS COMPREPLY EMACS ENV EXECIGNORE FCEDIT FIGNORE FUNCNEST
	GLOBIGNORE HISTCONTROL HISTFILE HISTFILESIZE HISTIGNORE HISTSIZE HISTTIMEFORMAT HOME HOSTFILE IFS IGNOREEOF INPUTRC
	INSIDE_EMACS LANG LC_ALL LC_COLLATE LC_CTYPE LC_MESSAGES LC_NUMERIC LC_TIME LINES MAIL MAILCHECK MAILPATH OPTERR
	PATH POSIXLY_CORRECT PROMPT_COMMAND PROMPT_DIRTRIM PS0 PS1 PS2 PS3 PS4 SHELL TIMEFORMAT TMOUT TMPDIR TZ
	auto_resume histchars
`
	.trim()
	.split(/\s+/);

for (const value of ['/nowhere', '0', '', "it's 1"]) {
	test(`no variable that bash knows of its own is lost or changed where it is ${JSON.stringify(value)}`, t => {
		const given = Object.fromEntries(shellVariables.map(name => [name, value]));

		const environment = environmentByBash(t, given);

		t.deepEqual(pick(environment, shellVariables), given);
	});
}

test('names that no shell can export go through env(1)', t => {
	const given = {'A.B': '1', 'a-b': '2', UID: '3', Ünï: '4', '1': '5', 'with space': '6', 'BASH_FUNC_f%%': '() { :; }'};

	const {text} = specify(aProcess({line: 'true'}), new Map(Object.entries({PLAIN: 'x', ...given})), place);

	t.deepEqual(readByBash(t, text), [
		'/',
		'env',
		programs.env,
		'--',
		...['1=5', 'A.B=1', 'a-b=2', 'UID=3', 'Ünï=4', 'with space=6', 'BASH_FUNC_f%%=() { :; }'],
		...[programs.bash, '-c', 'true'],
	]);
	t.deepEqual(pick(environmentByBash(t, given), Object.keys(given)), given);
});

test('a command without such names goes without env(1), which would cost as much as the command', t => {
	const {text} = specify(aProcess({line: 'true'}), new Map([['PATH', '/bin']]), place);

	t.false(text.includes(programs.env));
});

test('the cookie is ours, whatever the environment says', t => {
	const environment = environmentByBash(t, {NOHUPD_PROCESS_ID: 'proc_other'});

	t.is(environment.get('NOHUPD_PROCESS_ID'), 'proc_1');
});

test('a line of 131,071 bytes is an argument, and bash takes it', t => {
	const line = "printf 'ran\\0' #".padEnd(longest, 'x');
	const {text, line: inFile} = specify(aProcess({line}), noEnvironment, place);

	t.is(inFile, null);
	t.deepEqual(runByBash(t, text), ['ran']);
});

test('a line above 131,071 bytes goes through a file; bytes count, not characters', t => {
	const line = 'é'.repeat(longest / 2 + 1);

	const {text, line: inFile} = specify(aProcess({line}), noEnvironment, place);

	t.is(inFile, line);
	t.true(text.length < 1000);
	t.deepEqual(readByBash(t, text), ['/', 'bash', programs.bash, '/nowhere/line']);
});

test("the first line tells the dead man's switch timeout and grace period, in centiseconds and never too short", t => {
	const firstLines = [0, 1, 300_000, 2_147_483_647_000].map(
		timeoutMs => specify(aProcess({timeoutMs}), noEnvironment, {...place, gracePeriodMs: 5001}).text.split('\n')[0],
	);

	t.deepEqual(firstLines, [
		'# nohupd 2 0 501 keep',
		'# nohupd 2 1 501 keep',
		'# nohupd 2 30000 501 keep',
		'# nohupd 2 214748364700 501 keep',
	]);
});

const nastyCgroup = `/sys/fs/cgroup/a b'c"$d\\e/nohupd-0123456789ab/proc_1`;

test("behind them stands what becomes of leftovers: the dead man's switch sees to that as well", t => {
	const {text} = specify(aProcess({timeoutMs: 0, leftover: 'kill'}), noEnvironment, place);

	t.is(text.split('\n')[0], '# nohupd 2 0 500 kill');
});

test("the cgroup stands last for the dead man's switch, whatever is in its path", t => {
	const {text} = specify({...aProcess({timeoutMs: 1000}), cgroup: nastyCgroup}, noEnvironment, place);

	t.is(text.split('\n')[0], `# nohupd 2 100 500 keep ${nastyCgroup}`);
	t.deepEqual(runBash(t, text, `read -r _ _ _ _ _ _ place <"$1"; printf '%s\\0' "$place"`), [nastyCgroup]);
});

test('the shim finds the cgroup that it is to join, and an empty word where there is none', t => {
	const found = [nastyCgroup, null].map(cgroup =>
		runBash(
			t,
			specify({...aProcess(), cgroup}, noEnvironment, place).text,
			`cgroup=other; . "$1"; printf '%s\\0' "$cgroup"`,
		),
	);

	t.deepEqual(found, [[nastyCgroup], ['']]);
});

test('a process is read back as it was specified', t => {
	const processes = [
		aProcess(),
		...nastyTexts.map(nasty => aProcess({line: nasty, args: [nasty], name: nasty, workingDir: nasty})),
		aProcess({args: [], timeoutMs: 0}),
		{...aProcess({leftover: 'kill', limits: {pids: 20, bestEffort: true}}), cgroup: nastyCgroup},
		aProcess({stdin: true, ready: {log: nastyTexts.join(''), timeoutMs: 1}}),
	];

	const back = processes.map(process =>
		readSpecification(specify(process, new Map([['A', 'b']]), place).text, 'proc_1', () => t.fail()),
	);

	t.deepEqual(back, processes);
});

test('of one that an earlier version specified, nobody asked for input or readiness', t => {
	const {text} = specify(aProcess(), noEnvironment, place);
	const earlier = text.replace(',"stdin":false,"ready":null', '');

	t.not(earlier, text);
	t.deepEqual(
		readSpecification(earlier, 'proc_1', () => ''),
		aProcess(),
	);
});

test('a process that version 1 specified is read back as well', t => {
	const {text} = specify({...aProcess(), cgroup: nastyCgroup}, noEnvironment, place);
	const earlier = text.replace(/^# nohupd 2 (\d+ \d+) keep /, '# nohupd 1 $1 ');

	t.not(earlier, text);
	t.deepEqual(
		readSpecification(earlier, 'proc_1', () => t.fail()),
		{...aProcess(), cgroup: nastyCgroup},
	);
	t.throws(() => readSpecification(text.replace('nohupd 2', 'nohupd 3'), 'proc_1', () => t.fail()), {
		message: /damaged/,
	});
});

test('standard input is refused where there is no mkfifo, and names it elsewhere', t => {
	const without = {...place, programs: {...place.programs, mkfifo: null}};

	t.throws(() => specify(aProcess({stdin: true}), noEnvironment, without), {message: /^stdin .* mkfifo$/});
	t.is(specify(aProcess(), noEnvironment, without).mkfifo, null);
	t.is(specify(aProcess({stdin: true}), noEnvironment, place).mkfifo, place.programs.mkfifo);
});

test('a process of an older version, which knew no owners, has none', t => {
	const {owner: _, ...process} = aProcess();
	const {text} = specify(process as SpecifiedProcess, noEnvironment, place);

	t.is(readSpecification(text, 'proc_1', () => t.fail()).owner, null);
});

test('a process whose line stands in a file is read back with it', t => {
	const process = aProcess({line: `: ${'x'.repeat(200_000)}`});
	const {text, line} = specify(process, noEnvironment, place);

	t.deepEqual(
		readSpecification(text, 'proc_1', () => line ?? ''),
		process,
	);
});

test('of a specification that was cut short nothing is read back but the whole process', t => {
	const process = aProcess();
	const {text} = specify(process, noEnvironment, place);
	for (let length = 0; length < text.length; length++) {
		try {
			t.deepEqual(
				readSpecification(text.slice(0, length), 'proc_1', () => ''),
				process,
			);
		} catch (error) {
			t.true(error instanceof Error);
		}
	}
});

test('a specification of another process is refused', t => {
	const {text} = specify(aProcess(), noEnvironment, place);

	t.throws(() => readSpecification(text, 'proc_2', () => ''), {message: /that of proc_1/});
});

test('environment values stand nowhere but in the environment', t => {
	const {text} = specify(aProcess(), new Map([['TOKEN', 'hunter2']]), place);

	t.deepEqual(
		text.split('\n').filter(line => line.includes('hunter2')),
		["export NOHUPD_PROCESS_ID='proc_1' TOKEN='hunter2'"],
	);
});

test('quoted text has single quotes around, and none inside but escaped ones', t => {
	t.is(quote("it's"), "'it'\\''s'");
});
