import type {StopOrder} from '../../lib/ports.js';
import type {
	Command,
	EndedProcess,
	ProcessRecord,
	ProcessState,
	QueuedProcess,
	RunningProcess,
	Start,
	Stop,
	StoppingProcess,
	Usage,
} from '../../lib/process.js';
import {recordStop} from '../../lib/transitions.js';

/** Makes processes in any state; each is like the others except for what a test says. */

export const bootId = '0123abcd';

export const aCommand: Command = {
	line: 'sleep 60',
	args: null,
	workingDir: '/srv',
	name: null,
	timeoutMs: 300_000,
	leftover: 'keep',
	limits: null,
	stdin: false,
	ready: null,
};

/** Began 10 s after boot. */
export const aStart: Start = {
	identity: {bootId, pid: 4711, startTicks: 1000},
	shimPid: 4710,
	sessionId: 4700,
	startedAt: Date.UTC(2026, 0, 1),
};

export const aStop: Stop = {
	why: 'request',
	atUptimeMs: 20_000,
	gracePeriodMs: 5000,
	isSignaled: false,
	isBlocked: false,
};

/** What the record of one says whose deadline the dead man's switch has held. */
export function aDeadlineHeld(atUptimeMs: number): StopOrder {
	return {why: 'timeout', atUptimeMs, gracePeriodMs: null, isSignaled: true};
}

export interface Facts {
	readonly processId?: string;
	readonly sequence?: number;
	readonly command?: Partial<Command>;
	readonly owner?: string | null;
	readonly createdAt?: number;
	readonly cgroup?: string | null;
}

function aProcess<State extends ProcessState>(state: State, facts: Facts): ProcessRecord<State> {
	const {
		processId = 'proc_1',
		sequence = 1,
		command,
		owner = null,
		createdAt = Date.UTC(2026, 0, 1),
		cgroup = null,
	} = facts;
	return {
		sequence,
		processId,
		executionId: processId.replace('proc', 'exec'),
		command: {...aCommand, ...command},
		owner,
		createdAt,
		cgroup,
		state,
	};
}

export function aQueuedProcess(facts: Facts = {}): QueuedProcess {
	return aProcess({status: 'queued'}, facts);
}

export function aRunningProcess(facts: Facts & {start?: Start} = {}): RunningProcess {
	return aProcess({status: 'running', start: facts.start ?? aStart}, facts);
}

export function aStoppingProcess(facts: Facts & {start?: Start; stop?: Partial<Stop>} = {}): StoppingProcess {
	return recordStop(aRunningProcess(facts), {...aStop, ...facts.stop});
}

export function anEndedProcess(
	facts: Facts & {
		end?: Partial<EndedProcess['state']['end']>;
		start?: Start | null;
		durationMs?: number | null;
		leftover?: number;
		usage?: Usage | null;
	} = {},
): EndedProcess {
	return aProcess(
		{
			status: 'ended',
			start: facts.start === undefined ? aStart : facts.start,
			endedAt: Date.UTC(2026, 0, 2),
			durationMs: facts.durationMs === undefined ? 1500 : facts.durationMs,
			end: {why: 'exited', exitCode: 0, signal: null, message: null, ...facts.end},
			leftover: facts.leftover ?? 0,
			usage: facts.usage ?? null,
		},
		facts,
	);
}
