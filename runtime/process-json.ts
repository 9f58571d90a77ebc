import type {Limits, Process, ProcessDetails, ProcessWithOutput, Readiness} from '../lib/index.js';
import {languageOf} from './code.js';
import {cut} from './shown-text.js';

/** In a list a command is a reminder; as it was given it may have megabytes. */
const maxListedCommand = 4096;

/** A process in the spelling of the HTTP API, with its output. */
export function processJson(process: ProcessWithOutput, now: number): object {
	// Not spread: a list makes a hundred of them at a time.
	return Object.assign(factsJson(process, now), {
		stdout: process.stdout,
		stderr: process.stderr,
		stdout_bytes: process.stdoutBytes,
		stderr_bytes: process.stderrBytes,
		stdout_dropped: process.stdoutDropped,
		stderr_dropped: process.stderrDropped,
	});
}

/** The same for an event, at whose moment it was so: no output, and a long command is cut. */
export function eventProcessJson(process: Process, at: number): object {
	return factsJson(withShortCommand(process), at);
}

/** Environment values are never part of it. */
function factsJson(process: Process, now: number): object {
	return {
		process_id: process.processId,
		execution_id: process.executionId,
		name: process.name,
		owner: process.owner,
		status: process.status,
		reason: process.reason,
		message: process.message,
		language: languageOf(process.command, process.args),
		command: process.command,
		args: process.args,
		working_dir: process.workingDir,
		timeout: process.timeoutMs / 1000,
		pid: process.pid,
		created_at: isoTime(process.createdAt),
		started_at: isoTime(process.startedAt),
		completed_at: isoTime(process.endedAt),
		execution_time: executionTime(process, now),
		exit_code: process.exitCode,
		signal: process.signal,
		containment: process.containment,
		limits: limitsJson(process.limits),
		stdin: process.stdin,
		ready: readyJson(process.ready),
		ready_at: isoTime(process.readyAt),
		ready_timed_out_at: isoTime(process.readyTimedOutAt),
		leftover: process.leftover,
		blocked: process.blocked,
	};
}

/** One process, with what its tree uses, or had used when it ended. */
export function processDetailsJson(process: ProcessDetails, now: number): object {
	const {usage} = process;
	return {
		...processJson(process, now),
		usage: usage && {
			cpu_seconds: usage.cpuMs === null ? null : usage.cpuMs / 1000,
			memory_bytes: usage.memoryBytes,
			memory_peak_bytes: usage.memoryPeakBytes,
			processes: usage.processes,
		},
	};
}

function limitsJson(limits: Limits | null): object | null {
	return (
		limits && {
			memory_bytes: limits.memoryBytes,
			pids: limits.pids,
			cpu_percent: limits.cpuPercent,
			best_effort: limits.bestEffort,
		}
	);
}

function readyJson(ready: Readiness | null): object | null {
	if (ready === null) {
		return null;
	}

	const {timeoutMs, ...sign} = ready;
	return {...sign, timeout: timeoutMs / 1000};
}

/** The same for a list: long commands are cut, so that a page cannot grow without bound. */
export function listedProcessJson(process: ProcessWithOutput, now: number): object {
	return processJson(withShortCommand(process), now);
}

function withShortCommand<P extends Process>(process: P): P {
	const {command, args} = process;
	if (args === null && command.length <= maxListedCommand) {
		return process;
	}

	return {...process, command: cut(command, maxListedCommand), args: args === null ? null : cutAll(args)};
}

function cutAll(args: readonly string[]): string[] {
	const kept: string[] = [];
	let room = maxListedCommand;
	for (const argument of args) {
		if (room <= 0) {
			return [...kept, '…'];
		}

		kept.push(cut(argument, room));
		// An empty argument takes room too: there may be thousands.
		room -= argument.length + 1;
	}

	return kept;
}

/** What the first answer to a start says: a command that was quick still has "running" as its first status. */
export function startJson({processId, executionId, status, reason}: Process): object {
	return {
		process_id: processId,
		execution_id: executionId,
		status: status === 'queued' || reason === 'start_failed' ? status : 'running',
	};
}

/** What a command has come to that somebody waited for; one that still runs has no success yet. */
export function resultJson(process: ProcessWithOutput, shownBytes: number, now: number): object {
	return {
		success: process.status === 'completed',
		stdout: process.stdout,
		stderr: process.stderr,
		exit_code: process.exitCode,
		execution_time: executionTime(process, now),
		command: cut(process.command, maxListedCommand),
		pid: process.pid,
		timestamp: isoTime(process.endedAt ?? now),
		process_id: process.processId,
		execution_id: process.executionId,
		status: process.status,
		reason: process.reason,
		signal: process.signal,
		message: process.message,
		stdout_bytes: process.stdoutBytes,
		stderr_bytes: process.stderrBytes,
		stdout_truncated: process.stdoutDropped > 0 || process.stdoutBytes > shownBytes,
		stderr_truncated: process.stderrDropped > 0 || process.stderrBytes > shownBytes,
	};
}

function executionTime({durationMs, endedAt, startedAt}: Process, now: number): number | null {
	if (durationMs !== null) {
		return durationMs / 1000;
	}

	// The wall clock can be set back.
	return startedAt === null || endedAt !== null ? null : Math.max(0, now - startedAt) / 1000;
}

/** ISO 8601, of milliseconds since 1970. */
export function isoTime(milliseconds: number | null): string | null {
	return milliseconds === null ? null : new Date(milliseconds).toISOString();
}
