import {spawnSync} from 'node:child_process';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {environmentFor, program} from '../helpers/command-line.js';
import {TestDaemon} from '../helpers/daemon.js';
import {eventually} from '../helpers/eventually.js';
import {makeStateDir} from '../helpers/state-dir.js';
import {makeTempDir} from '../helpers/temp-dir.js';
import {Terminal, terminalProblem} from '../helpers/terminal.js';

const prompt = 'ready> ';

/** A shell that somebody types into, and the file at home that makes it complete our words. */
interface Shell {
	readonly line: string;
	readonly file: string;
	readonly setup: string;
}

const shells = {
	bash: {line: 'bash --noprofile', file: '.bashrc', setup: `PS1='${prompt}'; source <(nohupd completion bash)`},
	zsh: {
		line: 'zsh -d',
		file: '.zshrc',
		setup: `PS1='${prompt}'; autoload -Uz compinit; compinit -u; source <(nohupd completion zsh)`,
	},
	'zsh, by a file of its function path,': {
		line: 'zsh -d',
		file: '.zshrc',
		setup: `PS1='${prompt}'; nohupd completion zsh >~/_nohupd; fpath=(~ $fpath); autoload -Uz compinit; compinit -u`,
	},
	fish: {
		line: 'fish',
		file: '.config/fish/config.fish',
		setup: `function fish_prompt; echo '${prompt}'; end; nohupd completion fish | source`,
	},
} satisfies Record<string, Shell>;

/** What is typed behind `nohupd `, and the words that it becomes. There are processes "build" and "web:api". */
const typed: readonly [keys: string, words: string][] = [
	// Not kite.log, which is here as well.
	['ki\t', '<kill>'],
	['run --na\tx', '<run><--name><x>'],
	['kill bui\t', '<kill><build>'],
	// bash cuts words at a colon.
	['kill build web:a\t', '<kill><build><web:api>'],
	['run --cwd wo\tin\t', '<run><--cwd><work/inside>'],
	['run -- cat no\t', '<run><--><cat><notes.txt>'],
];

for (const [name, shell] of Object.entries(shells)) {
	const problem = terminalProblem ?? whyNot(shell);
	const title = `${name} completes our words, the names of processes, and files where they belong`;
	if (problem === null) {
		test(title, completes, shell);
	} else {
		test.skip(`${title} (skipped: ${problem})`, completes, shell);
	}
}

async function completes(t: ExecutionContext, {line, file, setup}: Shell): Promise<void> {
	const stateDir = makeStateDir(t);
	const daemon = await TestDaemon.open(t, stateDir);
	await daemon.start({command: 'true', name: 'build'});
	await daemon.start({command: 'true', name: 'web:api'});
	const home = makeTempDir(t);
	write(join(home, file), setup);
	write(join(home, 'bin/nohupd'), sayingProgram, 0o755);
	for (const path of ['said', 'here/kite.log', 'here/notes.txt', 'here/work/inside']) {
		write(join(home, path), '');
	}

	const terminal = Terminal.openProgram(
		t,
		`env -C ${home}/here ${line}`,
		environmentFor(stateDir, {
			HOME: home,
			ZDOTDIR: home,
			XDG_CONFIG_HOME: join(home, '.config'),
			PATH: `${home}/bin:${process.env['PATH']}`,
		}),
	);
	await terminal.shows(prompt);
	for (const [index, [keys]] of typed.entries()) {
		terminal.press(`nohupd ${keys}\r`);
		await eventually(() => readSaid(home).length > index);
	}

	terminal.press('exit\r');
	await terminal.ended;

	t.deepEqual(
		readSaid(home),
		typed.map(([, words]) => words),
	);
}

/** Completes as nohupd does. Any other words it only notes down. */
const sayingProgram = `#!/bin/sh
case $1 in
	complete | completion) exec '${process.execPath}' '${program}' "$@" ;;
	*) { printf '<%s>' "$@"; echo; } >>~/said ;;
esac
`;

function readSaid(home: string): string[] {
	return readFileSync(join(home, 'said'), 'utf8').split('\n').slice(0, -1);
}

function write(path: string, text: string, mode = 0o644): void {
	mkdirSync(dirname(path), {recursive: true});
	writeFileSync(path, text, {mode});
}

function whyNot({line}: Shell): string | null {
	const [shell = ''] = line.split(' ');
	return spawnSync(shell, ['--version'], {stdio: 'ignore'}).status === 0 ? null : `${shell} is not installed`;
}
