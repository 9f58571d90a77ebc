import {gracePeriodSeconds, linesUpTo, type Plan} from './shapes.js';
import type {Truth} from './truth.js';

/** A process as the API shows it. */
export interface Shown {
	readonly process_id: string;
	readonly name: string;
	readonly status: string;
	readonly reason: string | null;
	readonly exit_code: number | null;
	readonly pid: number | null;
	readonly started_at: string | null;
	readonly created_at: string;
	readonly completed_at: string | null;
	readonly execution_time: number | null;
	readonly leftover: number;
}

/** What the API gives as the whole output. */
export type Output = Readonly<Record<'stdout' | 'stderr', string>>;

/** What was done to a process. */
export interface Circumstances {
	readonly wasKilled: boolean;
	/** Then nobody can know how it ended. */
	readonly wasShimKilled: boolean;
	/** While it was there. */
	readonly wasDiskFull: boolean;
}

/** With the agent dead a deadline may be kept this much later (FAULTS.md, 25). */
export const deadlineSlackSeconds = 12;
/** Between what a command does and what its shim and our clock make of it: a shim may be frozen, and the machine busy. */
const clockSlackMs = 10_000;
/** The resolution of our durations, and a little. */
const roundingMs = 50;

/** All that the API says of an ended process and that cannot be, given what the command wrote down. */
export function findLies(
	plan: Plan,
	process: Shown,
	truth: Truth,
	circumstances: Circumstances,
	output: Output | null,
): string[] {
	return [
		liesAboutRuns(process, truth),
		liesAboutEnd(plan, process, truth, circumstances),
		liesAboutTimes(process, truth),
		liesAboutDeadline(plan, process),
		output === null ? [] : liesAboutOutput(plan, process, truth, circumstances, output),
	].flat();
}

function liesAboutRuns({process_id, reason}: Shown, {began}: Truth): string[] {
	const others = began.filter(({processId}) => processId !== process_id);
	return [
		...(began.length > 1 ? [`ran ${began.length} times`] : []),
		...others.map(({processId}) => `ran as ${processId}`),
		...(began.length === 0 && reason === 'exited' ? ['exited and never ran'] : []),
		...(began.length > 0 && reason === 'start_failed' ? ['could not start and ran'] : []),
	];
}

function liesAboutEnd(plan: Plan, process: Shown, truth: Truth, circumstances: Circumstances): string[] {
	const {reason, exit_code: exitCode} = process;
	const {wasKilled, wasShimKilled, wasDiskFull} = circumstances;
	switch (reason) {
		case 'exited':
			return isOwnExit(plan, exitCode, truth) ? [] : [`should have exited with ${plan.exitCode}`];
		case 'request':
			return [
				...(wasKilled ? [] : ['was killed, and nobody asked']),
				...liesAboutKill(plan, process, truth, wasShimKilled),
			];
		case 'timeout':
			return liesAboutKill(plan, process, truth, wasShimKilled);
		case 'lost':
			return wasShimKilled && exitCode === null ? [] : ['is lost, and its shim was not killed'];
		case 'start_failed':
			return wasShimKilled || wasDiskFull ? [] : ['could not start, and nothing was in its way'];
		default:
			return [`has a reason that cannot be: ${reason}`];
	}
}

function liesAboutKill(plan: Plan, {exit_code: exitCode}: Shown, truth: Truth, wasShimKilled: boolean): string[] {
	if (exitCode === null) {
		return truth.began.length === 0 || wasShimKilled ? [] : ['ran, and its shim lived, but has no exit code'];
	}

	// 128 and the number of the signal, as any shell says it.
	const isOfSignal = exitCode === 137 || exitCode === 143;
	return isOfSignal || isOwnExit(plan, exitCode, truth) ? [] : [`was ended, and has the exit code ${exitCode}`];
}

function isOwnExit(plan: Plan, exitCode: number | null, {ended}: Truth): boolean {
	// What would never end by itself can go on with its next line, where the signal takes one of its children first.
	return ended !== null && ended.exitCode === String(plan.exitCode) && exitCode === (plan.exitCode ?? 0);
}

function liesAboutTimes({reason, started_at, completed_at}: Shown, {began, ended}: Truth): string[] {
	const [first] = began;
	const startedAt = Date.parse(started_at ?? '');
	const completedAt = Date.parse(completed_at ?? '');
	return [
		...(first !== undefined && !isWithin(first.at - clockSlackMs, startedAt, first.at + roundingMs)
			? ['began at another time']
			: []),
		...(reason === 'exited' && ended !== null && !isWithin(ended.at - roundingMs, completedAt, ended.at + clockSlackMs)
			? ['ended at another time']
			: []),
	];
}

function isWithin(earliest: number, at: number, latest: number): boolean {
	return earliest <= at && at <= latest;
}

/** Whatever its end: nobody runs on for longer. */
function liesAboutDeadline({body: {timeout}}: Plan, {reason, execution_time: seconds}: Shown): string[] {
	if (seconds === null || timeout === 0) {
		return [];
	}

	const latest = timeout + gracePeriodSeconds + deadlineSlackSeconds;
	return [
		...(seconds > latest ? [`should have been ended within ${latest} s`] : []),
		...(reason === 'timeout' && seconds < timeout - roundingMs / 1000 ? [`had ${timeout} s`] : []),
	];
}

/** Also of one that was ended: then it is the beginning of what it would have written, and bash may have said why. */
function liesAboutOutput(
	{lines}: Plan,
	{reason}: Shown,
	{hasWritten}: Truth,
	{wasDiskFull}: Circumstances,
	output: Output,
): string[] {
	const whole = linesUpTo(lines);
	// Where the disk was full the command itself was told, and wrote down no success.
	const isComplete = hasWritten || (reason === 'exited' && !wasDiskFull);
	const isTrue = {
		stdout: isComplete ? output.stdout === whole : whole.startsWith(output.stdout),
		stderr: !isComplete || output.stderr === whole,
	};
	return (['stdout', 'stderr'] as const)
		.filter(stream => !isTrue[stream])
		.map(stream => `wrote ${whole.length} bytes to ${stream}, and ${output[stream].length} other ones are shown`);
}
