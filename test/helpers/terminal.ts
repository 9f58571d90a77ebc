import {type ChildProcess, execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import type {ExecutionContext} from 'ava';
import {environmentFor, program} from './command-line.js';
import {eventually} from './eventually.js';

/** Why no pseudo-terminal can be had here; `null` where one can. */
export const terminalProblem = findProblem();

/** A program in a pseudo-terminal of script(1), and the keys that somebody presses there. */
export class Terminal {
	#screen = '';

	private constructor(
		private readonly child: ChildProcess,
		/** The exit code, as a shell shows it. */
		readonly ended: Promise<number | null>,
	) {
		child.stdout?.on('data', chunk => {
			this.#screen += chunk;
		});
	}

	/** `nohupd` with these words. */
	static open(
		t: ExecutionContext,
		stateDir: string,
		words: readonly string[],
		{columns = 80, env = {}}: {readonly columns?: number; readonly env?: NodeJS.ProcessEnv} = {},
	): Terminal {
		const line = [process.execPath, program, ...words].map(word => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
		return Terminal.openProgram(t, line, environmentFor(stateDir, env), columns);
	}

	/** Any program, by a line for sh. */
	static openProgram(t: ExecutionContext, line: string, env: NodeJS.ProcessEnv, columns = 80): Terminal {
		const child = spawn('script', ['-qec', `stty cols ${columns} rows 24; exec ${line}`, '/dev/null'], {
			env: {...env, SHELL: '/bin/sh'},
			stdio: ['pipe', 'pipe', 'inherit'],
		});
		t.teardown(() => child.kill('SIGKILL'));
		return new Terminal(
			child,
			once(child, 'close').then(([code]) => code),
		);
	}

	/** All that was ever shown. */
	get screen(): string {
		return this.#screen.replaceAll('\r\n', '\n');
	}

	/** Settles when this is to be seen. */
	async shows(text: string | RegExp): Promise<void> {
		await eventually(
			() => this.screen,
			screen => (typeof text === 'string' ? screen.includes(text) : text.test(screen)),
		);
	}

	press(keys: string): void {
		this.child.stdin?.write(keys);
	}
}

/** What somebody presses to be rid of a program. */
export const ctrlC = '\u0003';

function findProblem(): string | null {
	try {
		// util-linux's knows these flags, others do not.
		const shown = execFileSync('script', ['-qec', 'test -t 1 && echo yes', '/dev/null'], {
			encoding: 'utf8',
			stdio: ['ignore', 'pipe', 'ignore'],
			env: {...process.env, SHELL: '/bin/sh'},
		});
		return shown.includes('yes') ? null : 'script(1) makes no pseudo-terminal here';
	} catch {
		// Not installed, or another one.
		return 'script(1) of util-linux is not installed';
	}
}
