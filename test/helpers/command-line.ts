import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {fileURLToPath} from 'node:url';
import type {ExecutionContext} from 'ava';

/** The program as it is installed. */
export const program = fileURLToPath(new URL('../../runtime/main.js', import.meta.url));

/** How a command line ended. */
export interface Outcome {
	readonly code: number | null;
	readonly signal: NodeJS.Signals | null;
	readonly stdout: Buffer;
	readonly stderr: string;
}

/** One that runs, its output in pipes. */
export interface Running {
	readonly child: ChildProcess;
	readonly ended: Promise<Outcome>;
	/** What it has written by now. */
	stdout(): string;
	stderr(): string;
}

/** What makes Node and others draw colours, or none. */
const colourVariables = /^(NO_COLOR|FORCE_COLOR|NODE_DISABLE_COLORS|CI|TMUX)$/;

/** The environment of whoever runs the tests, without settings and colours that he may have. */
export function environmentFor(stateDir: string, added: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
	const inherited = Object.entries(process.env).filter(
		([name]) => !name.startsWith('NOHUPD_') && !colourVariables.test(name),
	);
	return {...Object.fromEntries(inherited), NOHUPD_STATE_DIR: stateDir, TERM: 'xterm', ...added};
}

interface Surroundings {
	readonly env?: NodeJS.ProcessEnv;
	readonly cwd?: string;
	/** A descriptor that is open for writing; a pipe unless given. */
	readonly stdout?: number | 'pipe';
}

/** Starts `nohupd` with these words for a state directory. It is ended with the test. */
export function startLine(
	t: ExecutionContext,
	stateDir: string,
	words: readonly string[],
	{env = {}, cwd = '/', stdout: output = 'pipe'}: Surroundings = {},
): Running {
	const child = spawn(process.execPath, [program, ...words], {
		cwd,
		env: environmentFor(stateDir, env),
		stdio: ['ignore', output, 'pipe'],
	});
	t.teardown(() => child.kill('SIGKILL'));
	const stdout: Buffer[] = [];
	const stderr: Buffer[] = [];
	child.stdout?.on('data', chunk => stdout.push(chunk));
	child.stderr?.on('data', chunk => stderr.push(chunk));
	return {
		child,
		ended: once(child, 'close').then(([code, signal]) => ({
			code,
			signal,
			stdout: Buffer.concat(stdout),
			stderr: Buffer.concat(stderr).toString(),
		})),
		stdout: () => Buffer.concat(stdout).toString(),
		stderr: () => Buffer.concat(stderr).toString(),
	};
}

/** The same, for one that ends by itself. */
export function runLine(...parameters: Parameters<typeof startLine>): Promise<Outcome> {
	return startLine(...parameters).ended;
}
