import type {
	Command,
	End,
	LeftoverPolicy,
	ProcessRecord,
	ProcessState,
	ReadyFact,
	Start,
	StopReason,
	Usage,
} from '../process.js';
import {publicStatus} from '../process-view.js';

/** A row of the table `processes`; the migration says what each column means. */
export interface ProcessRow {
	readonly sequence: number;
	readonly process_id: string;
	readonly execution_id: string;
	readonly name: string | null;
	readonly owner: string | null;
	readonly command: string;
	readonly args: string | null;
	readonly working_dir: string;
	readonly timeout_ms: number;
	readonly created_at: number;
	readonly status: ProcessState['status'];
	readonly public_status: string;
	readonly boot_id: string | null;
	readonly pid: number | null;
	readonly start_ticks: number | null;
	readonly shim_pid: number | null;
	readonly session_id: number | null;
	readonly started_at: number | null;
	readonly stop_reason: string | null;
	readonly stop_uptime_ms: number | null;
	readonly stop_grace_period_ms: number | null;
	readonly stop_is_signaled: number | null;
	readonly ended_at: number | null;
	readonly duration_ms: number | null;
	readonly end_reason: string | null;
	readonly exit_code: number | null;
	readonly signal: string | null;
	readonly message: string | null;
	readonly leftover_policy: string;
	readonly leftover: number;
	readonly cgroup: string | null;
	readonly limits: string | null;
	readonly stop_is_blocked: number | null;
	readonly cpu_ms: number | null;
	readonly memory_peak_bytes: number | null;
	readonly stdin: number;
	readonly ready: string | null;
	readonly ready_at: number | null;
	readonly ready_timed_out_at: number | null;
}

export const stateColumns = [
	'status',
	'public_status',
	'boot_id',
	'pid',
	'start_ticks',
	'shim_pid',
	'session_id',
	'started_at',
	'stop_reason',
	'stop_uptime_ms',
	'stop_grace_period_ms',
	'stop_is_signaled',
	'ended_at',
	'duration_ms',
	'end_reason',
	'exit_code',
	'signal',
	'message',
	'leftover',
	'stop_is_blocked',
	'cpu_ms',
	'memory_peak_bytes',
	'ready_at',
	'ready_timed_out_at',
] as const satisfies ReadonlyArray<keyof ProcessRow>;

/** What never changes. */
export const factColumns = [
	'process_id',
	'execution_id',
	'name',
	'owner',
	'command',
	'args',
	'working_dir',
	'timeout_ms',
	'created_at',
	'leftover_policy',
	'cgroup',
	'limits',
	'stdin',
	'ready',
] as const satisfies ReadonlyArray<keyof ProcessRow>;

export const columns = [...factColumns, ...stateColumns] as const;

export function toRow(process: Omit<ProcessRecord, 'sequence'>): Omit<ProcessRow, 'sequence'> {
	const {command, state} = process;
	return {
		process_id: process.processId,
		execution_id: process.executionId,
		name: command.name,
		owner: process.owner,
		command: command.line,
		args: command.args === null ? null : JSON.stringify(command.args),
		working_dir: command.workingDir,
		timeout_ms: command.timeoutMs,
		created_at: process.createdAt,
		leftover_policy: command.leftover,
		cgroup: process.cgroup,
		limits: command.limits === null ? null : JSON.stringify(command.limits),
		stdin: Number(command.stdin),
		ready: command.ready === null ? null : JSON.stringify(command.ready),
		status: state.status,
		public_status: publicStatus(state),
		...startColumns(state),
		...stopColumns(state),
		...endColumns(state),
		...readyColumns(state),
	};
}

function startColumns(state: ProcessState) {
	const start = state.status === 'queued' ? null : state.start;
	return {
		boot_id: start?.identity.bootId ?? null,
		pid: start?.identity.pid ?? null,
		start_ticks: start?.identity.startTicks ?? null,
		shim_pid: start?.shimPid ?? null,
		session_id: start?.sessionId ?? null,
		started_at: start?.startedAt ?? null,
	};
}

function stopColumns(state: ProcessState) {
	const stop = state.status === 'stopping' ? state.stop : null;
	return {
		stop_reason: stop?.why ?? null,
		stop_uptime_ms: stop?.atUptimeMs ?? null,
		stop_grace_period_ms: stop?.gracePeriodMs ?? null,
		stop_is_signaled: stop === null ? null : Number(stop.isSignaled),
		stop_is_blocked: stop === null ? null : Number(stop.isBlocked),
	};
}

function endColumns(state: ProcessState) {
	const ended = state.status === 'ended' ? state : null;
	return {
		ended_at: ended?.endedAt ?? null,
		duration_ms: ended?.durationMs ?? null,
		end_reason: ended?.end.why ?? null,
		exit_code: ended?.end.exitCode ?? null,
		signal: ended?.end.signal ?? null,
		message: ended?.end.message ?? null,
		leftover: ended?.leftover ?? 0,
		cpu_ms: ended?.usage?.cpuMs ?? null,
		memory_peak_bytes: ended?.usage?.memoryPeakBytes ?? null,
	};
}

function readyColumns(state: ProcessState) {
	const ready = state.status === 'queued' ? undefined : state.ready;
	return {
		ready_at: ready?.status === 'ready' ? ready.at : null,
		ready_timed_out_at: ready?.status === 'timed_out' ? ready.at : null,
	};
}

export function fromRow(row: ProcessRow): ProcessRecord {
	return {...factsFromRow(row), state: toState(row)};
}

/** What never changes of a process. */
export function factsFromRow(row: ProcessRow): Omit<ProcessRecord, 'state'> {
	const command: Command = {
		line: row.command,
		args: parsed(row.args),
		workingDir: row.working_dir,
		name: row.name,
		timeoutMs: row.timeout_ms,
		leftover: row.leftover_policy as LeftoverPolicy,
		limits: parsed(row.limits),
		stdin: row.stdin === 1,
		ready: parsed(row.ready),
	};
	return {
		sequence: row.sequence,
		processId: row.process_id,
		executionId: row.execution_id,
		command,
		owner: row.owner,
		createdAt: row.created_at,
		cgroup: row.cgroup,
	};
}

/** Frozen: a record is kept, and what is shown of it is given to callers. */
function parsed<T>(json: string | null): T | null {
	return json === null ? null : Object.freeze(JSON.parse(json));
}

function toState(row: ProcessRow): ProcessState {
	const start = toStart(row);
	switch (row.status) {
		case 'queued':
			return {status: 'queued'};
		case 'running':
			return {status: 'running', start: present(start, row), ...toReady(row)};
		case 'stopping':
			return {
				status: 'stopping',
				start: present(start, row),
				stop: {
					why: present(row.stop_reason, row) as StopReason,
					atUptimeMs: present(row.stop_uptime_ms, row),
					gracePeriodMs: present(row.stop_grace_period_ms, row),
					isSignaled: row.stop_is_signaled === 1,
					isBlocked: row.stop_is_blocked === 1,
				},
				...toReady(row),
			};
		case 'ended':
			return {
				status: 'ended',
				start,
				endedAt: present(row.ended_at, row),
				durationMs: row.duration_ms,
				end: {
					why: present(row.end_reason, row) as End['why'],
					exitCode: row.exit_code,
					signal: row.signal,
					message: row.message,
				},
				leftover: row.leftover,
				usage: toUsage(row),
				...toReady(row),
			};
	}
}

function toReady({ready_at, ready_timed_out_at}: ProcessRow): {ready?: ReadyFact} {
	if (ready_at !== null) {
		return {ready: {status: 'ready', at: ready_at}};
	}

	return ready_timed_out_at === null ? {} : {ready: {status: 'timed_out', at: ready_timed_out_at}};
}

function toUsage({cpu_ms, memory_peak_bytes}: ProcessRow): Usage | null {
	return cpu_ms === null && memory_peak_bytes === null ? null : {cpuMs: cpu_ms, memoryPeakBytes: memory_peak_bytes};
}

function toStart(row: ProcessRow): Start | null {
	const {boot_id, pid, start_ticks, shim_pid, session_id, started_at} = row;
	if (boot_id === null || pid === null || start_ticks === null || shim_pid === null || started_at === null) {
		return null;
	}

	return {
		identity: {bootId: boot_id, pid, startTicks: start_ticks},
		shimPid: shim_pid,
		// Not known of a process that an older version started: no session has the number 0.
		sessionId: session_id ?? 0,
		startedAt: started_at,
	};
}

function present<T>(value: T | null, row: ProcessRow): T {
	if (value === null) {
		throw new Error(`The row of ${row.process_id} lacks what its status ${row.status} needs`);
	}

	return value;
}
