/**
 * Which ways a process can go. Whoever knows a fact passes it in, and gets the record that follows from it.
 */
import {constants} from 'node:os';
import {
	type EndedProcess,
	type LiveProcess,
	type ProcessRecord,
	type QueuedProcess,
	type ReadyFact,
	type RunningProcess,
	readyOf,
	type Start,
	type Stop,
	type StoppingProcess,
	type StopReason,
	type Usage,
} from './process.js';

/** What is known of an end apart from who wanted it. */
export interface ObservedEnd {
	readonly exitCode: number | null;
	readonly endedAt: number;
	readonly durationMs: number | null;
	/** Set where the exit code does not tell. */
	readonly why?: 'start_failed' | 'lost' | 'reboot' | 'oom';
	readonly message?: string;
	readonly usage?: Usage | null;
}

/** The command runs now. */
export function recordStart(process: QueuedProcess, start: Start): RunningProcess {
	return {...process, state: {status: 'running', start}};
}

/** Somebody wants it ended. Of two orders the first counts: the second changes nothing. */
export function recordStop(process: LiveProcess, stop: Stop): StoppingProcess {
	if (process.state.status === 'stopping') {
		return {...process, state: process.state};
	}

	return {
		...process,
		state: {status: 'stopping', start: process.state.start, stop, ...readyOf(process.state)},
	};
}

/** It is over. An end that we wanted keeps the reason for the stop, whatever the exit code. */
export function recordEnd(process: ProcessRecord, observed: ObservedEnd): EndedProcess {
	const {state} = process;
	if (state.status === 'ended') {
		return {...process, state};
	}

	const signal = signalFromExitCode(observed.exitCode);
	const stopped = state.status === 'stopping' ? state.stop.why : undefined;
	return {
		...process,
		state: {
			status: 'ended',
			start: state.status === 'queued' ? null : state.start,
			endedAt: observed.endedAt,
			durationMs: observed.durationMs,
			end: {
				why: stopped ?? observed.why ?? (signal === null ? 'exited' : 'signaled'),
				exitCode: observed.exitCode,
				signal,
				message: observed.message ?? null,
			},
			leftover: 0,
			usage: observed.usage ?? null,
			...readyOf(state),
		},
	};
}

/** The watch for readiness is over. */
export function recordReady(process: RunningProcess, ready: ReadyFact): RunningProcess {
	return {...process, state: {...process.state, ready}};
}

/** A queued process that somebody ended before it ran. */
export function recordStopBeforeStart(process: QueuedProcess, why: StopReason, endedAt: number): EndedProcess {
	return {
		...process,
		state: {
			status: 'ended',
			start: null,
			endedAt,
			durationMs: null,
			end: {why, exitCode: null, signal: null, message: null},
			leftover: 0,
			usage: null,
		},
	};
}

/** How many descendants of an ended process are alive. */
export function recordLeftover<Ended extends EndedProcess>(process: Ended, leftover: number): Ended {
	return {...process, state: {...process.state, leftover}};
}

/** In the word that a process was forgotten its command is a reminder; as it was given it may have megabytes. */
const forgottenCommandLength = 1024;

/** What is still told of a process that is forgotten. */
export function recordForgotten(process: EndedProcess): EndedProcess {
	const {line, args} = process.command;
	const isLong = line.length + (args?.join().length ?? 0) > forgottenCommandLength;
	return isLong
		? {...process, command: {...process.command, line: line.slice(0, forgottenCommandLength), args: args && []}}
		: process;
}

// Reversed, so that of two names for a number (SIGABRT, SIGIOT) the usual one wins.
const signalNames = new Map(
	Object.entries(constants.signals)
		.reverse()
		.map(([name, number]) => [number, name]),
);

/** The signal behind a shell's exit code: 128 + n (bash(1), "EXIT STATUS"); `null` where there is none. */
export function signalFromExitCode(exitCode: number | null): string | null {
	return exitCode === null ? null : (signalNames.get(exitCode - 128) ?? null);
}
