/** The file that tells a shim what to run: read by bash, and by us when the database is lost. */
import {cookieName, maxArgumentBytes} from '../command-schema.js';
import {CommandInvalidError} from '../errors.js';
import type {Programs} from '../ports.js';
import type {Command, ProcessId, QueuedProcess} from '../process.js';

export interface Specification {
	/** What the shim reads with `.`; keeper.sh says what it must define. */
	readonly text: string;
	/** A shell line too long for an argument: it goes through this file. */
	readonly line: string | null;
	/** The program that makes the pipe of a command that asked for standard input: it stands in a file that the shim looks for. */
	readonly mkfifo: string | null;
}

/** A process as `specify` was given it. */
export type SpecifiedProcess = Omit<QueuedProcess, 'sequence'>;

// bash(1), "Shell Variables": what bash sets itself, makes readonly, or reacts to at once (POSIXLY_CORRECT,
// SHELLOPTS, EXECIGNORE, BASH_XTRACEFD…) cannot pass through it unchanged. Such names go through env(1).
const handledByBash = new Set([
	'_',
	'COMP_WORDBREAKS',
	'DIRSTACK',
	'EPOCHREALTIME',
	'EPOCHSECONDS',
	'EUID',
	'EXECIGNORE',
	'FUNCNAME',
	'GROUPS',
	'HISTCMD',
	'LINENO',
	'OPTIND',
	'PIPESTATUS',
	'POSIXLY_CORRECT',
	'PPID',
	'RANDOM',
	'SECONDS',
	'SHELLOPTS',
	'SHLVL',
	'SRANDOM',
	'UID',
]);

const isPlainName = (name: string) =>
	/^[A-Za-z_]\w*$/.test(name) && !name.startsWith('BASH') && !handledByBash.has(name);

/**
 * @param linePath - Where `line` will stand, if there is one.
 * @param gracePeriodMs - What the dead man's switch grants after SIGTERM.
 */
export function specify(
	process: SpecifiedProcess,
	environment: ReadonlyMap<string, string>,
	{linePath, gracePeriodMs, programs}: {linePath: string; gracePeriodMs: number; programs: Programs},
): Specification {
	const {command, processId} = process;
	const isLongLine = command.args === null && Buffer.byteLength(command.line) > maxArgumentBytes;
	const [name, ...program] = toProgram(command, isLongLine ? linePath : null, programs.bash);
	const all = [...environment].filter(([variable]) => variable !== cookieName);
	const special = all.filter(([variable]) => !isPlainName(variable)).map(([variable, value]) => `${variable}=${value}`);
	const plain = all.filter(([variable]) => isPlainName(variable));
	const words = special.length === 0 ? [name, ...program] : ['env', programs.env, '--', ...special, ...program];
	const limits = [toCentiseconds(command.timeoutMs), toCentiseconds(gracePeriodMs), command.leftover];
	if (command.stdin && programs.mkfifo === null) {
		throw new CommandInvalidError('stdin', 'cannot be had here: it needs the program mkfifo');
	}

	// env(1) would take it for one more variable.
	if (special.length > 0 && program[0]?.includes('=')) {
		throw new CommandInvalidError(
			'command',
			`must not contain "=" where env has names like ${special[0]?.split('=')[0]}`,
		);
	}

	const text = [
		`# nohupd 2 ${[...limits, ...(process.cgroup === null ? [] : [process.cgroup])].join(' ')}`,
		`# ${JSON.stringify(isLongLine ? {...process, command: {...command, line: null}} : process)}`,
		`directory=${quote(command.workingDir)} cgroup=${quote(process.cgroup ?? '')}`,
		`set -- ${words.map(quote).join(' ')}`,
		'environment() {',
		`export ${[[cookieName, processId] as const, ...plain].map(([variable, value]) => `${variable}=${quote(value)}`).join(' ')}`,
		'}',
		'',
	].join('\n');
	return {text, line: isLongLine ? command.line : null, mkfifo: command.stdin ? programs.mkfifo : null};
}

/** The name it sees itself by (`argv[0]`), the file to execute, and its arguments. */
function toProgram({line, args}: Command, linePath: string | null, bash: string): [string, string, ...string[]] {
	if (args !== null) {
		return [line, line, ...args];
	}

	return linePath === null ? ['bash', bash, '-c', line] : ['bash', bash, linePath];
}

/**
 * Reads back the process of a specification.
 * @param readLine - Called for a shell line that stands in a file of its own.
 * @throws {Error} where the text is damaged.
 */
export function readSpecification(text: string, processId: ProcessId, readLine: () => string): SpecifiedProcess {
	const [mark, json] = text.split('\n', 2);
	if (!/^# nohupd [12] /.test(mark ?? '') || json === undefined) {
		throw new Error(`The specification of ${processId} is damaged`);
	}

	// Older ones name no owner.
	const process: SpecifiedProcess = {owner: null, ...JSON.parse(json.slice(2))};
	if (process.processId !== processId) {
		throw new Error(`The specification of ${processId} is that of ${process.processId}`);
	}

	// One that an earlier version wrote knows nothing of these two.
	const {stdin = false, ready = null} = process.command as Partial<Command>;
	const command = {...process.command, stdin, ready};
	return {...process, command: command.line === null ? {...command, line: readLine()} : command};
}

/** Single quotes keep every byte but their own kind: that one stands outside, escaped. */
export function quote(value: string): string {
	return `'${value.replaceAll("'", `'\\''`)}'`;
}

function toCentiseconds(ms: number): number {
	return Math.ceil(ms / 10);
}
