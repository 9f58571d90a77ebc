import type {Containment, EndReason, PublicStatus} from '../../lib/index.js';
import {languages} from '../code.js';
import type {JsonSchema} from './json-schema.js';
import {integer, list, moment, number, object, oneOf, orNull, reference, text, truth} from './words.js';

const statuses = ['queued', 'running', 'completed', 'failed', 'killed'] as const satisfies readonly PublicStatus[];

const reasons = [
	'exited',
	'signaled',
	'request',
	'timeout',
	'oom',
	'start_failed',
	'lost',
	'reboot',
] as const satisfies readonly EndReason[];

const containments = ['cgroup', 'session'] as const satisfies readonly Containment[];

export const processId = text('Names the process.', {pattern: '^proc_[0-9a-z]{1,64}$'});
const executionId = text('Names its start.', {pattern: '^exec_[0-9a-z]{1,64}$'});
export const containment = oneOf(containments, 'How it is held together: only a cgroup lets nothing escape.');
const exitCode = orNull(integer('Null when nobody knows it; 128 + n for signal n.'));
const signal = orNull(text('Name of the signal that ended it.'));
const executionTime = orNull(number('Seconds; null when they are not known.'));
const reason = orNull(oneOf(reasons, 'Why it ended; null while it has not.'));
const status = oneOf(statuses, 'completed is exit code 0, killed an end by request or timeout, failed any other.');
const message = orNull(text('A sentence, where the reason does not say enough.'));

const start = object({
	process_id: processId,
	execution_id: executionId,
	status: oneOf(['queued', 'running', 'failed'], 'queued: it waits for its turn; failed: it could not begin.'),
});

const limits = object(
	{
		memory_bytes: integer('Memory of the whole tree.'),
		pids: integer('Processes and threads at a time.'),
		cpu_percent: integer('Of one processor.'),
		best_effort: truth('Whether it starts also where a limit cannot be held.'),
	},
	['memory_bytes', 'pids', 'cpu_percent', 'best_effort'],
);

const readiness = object(
	{
		port: integer('It accepts connections on this port.'),
		http: text('A GET of this URL is answered with a status below 500.'),
		log: text('It has written this text.'),
		timeout: number('Seconds from its start on; afterwards nobody watches any more.'),
	},
	['port', 'http', 'log'],
);

/** What an event tells of a process; its output is not in it. */
const processFacts = {
	process_id: processId,
	execution_id: executionId,
	name: orNull(text('As given at the start.')),
	owner: orNull(text('The subject of the token it was started with.')),
	status,
	reason,
	message,
	language: oneOf(languages, 'What the code is written in, as far as the command tells.'),
	command: text('The shell line, or with args the program; cut in a list.'),
	args: orNull(list({type: 'string'}, 'Null for a shell line.')),
	working_dir: text('Absolute path.'),
	timeout: number('Allowed running time in seconds; 0 is no limit.'),
	pid: orNull(integer('Of its first process; null before its start.')),
	created_at: moment('When it was accepted.'),
	started_at: orNull(moment('Null until it runs.')),
	completed_at: orNull(moment('Null until it is over.')),
	execution_time: executionTime,
	exit_code: exitCode,
	signal,
	containment,
	limits: orNull(reference('Limits')),
	stdin: truth('Whether its standard input can be written to.'),
	ready: orNull(reference('Readiness')),
	ready_at: orNull(moment('When it was seen ready.')),
	ready_timed_out_at: orNull(moment('When it was given up that it would be.')),
	leftover: integer('Living descendants of an ended process.'),
	blocked: truth('It is being ended, and something of it cannot end before it wakes.'),
};

const processFields = {
	...processFacts,
	stdout: text('The end of its standard output; what is not UTF-8 is marked with U+FFFD.'),
	stderr: text('The same of standard error.'),
	stdout_bytes: integer('Bytes written to standard output since the start.'),
	stderr_bytes: integer('The same of standard error.'),
	stdout_dropped: integer('How many of them, the oldest, are no longer kept.'),
	stderr_dropped: integer('The same of standard error.'),
};

const usage = object({
	cpu_seconds: orNull(number('Time on processors, all together.')),
	memory_bytes: orNull(integer('Memory it has now.')),
	memory_peak_bytes: orNull(integer('The most memory it had at once.')),
	processes: integer('Living processes.'),
});

const result = object({
	success: truth('Whether it ended by itself with exit code 0.'),
	stdout: text('The last 1,048,576 bytes of its standard output.'),
	stderr: text('The same of standard error.'),
	exit_code: exitCode,
	execution_time: executionTime,
	command: text('As given, cut to 4,096 characters.'),
	pid: orNull(integer('Of its first process.')),
	timestamp: moment('When it ended; of the answer where it has not.'),
	process_id: processId,
	execution_id: executionId,
	status,
	reason,
	signal,
	message,
	stdout_bytes: integer('Bytes written to standard output.'),
	stderr_bytes: integer('Bytes written to standard error.'),
	stdout_truncated: truth('Whether stdout begins later than the output did.'),
	stderr_truncated: truth('The same of stderr.'),
});

/** What the answers about processes are made of. */
export const processSchemas: Readonly<Record<string, JsonSchema>> = {
	Start: start,
	Limits: limits,
	Readiness: readiness,
	EventProcess: object(processFacts),
	Process: object(processFields),
	ProcessDetails: object({...processFields, usage: orNull(reference('Usage'))}),
	ProcessList: object(
		{
			processes: list(reference('Process'), 'Newest first.'),
			count: integer('How many there are in this answer.'),
			next_cursor: text('Give it as cursor to see older ones.'),
		},
		['next_cursor'],
	),
	Result: result,
	Usage: usage,
};
