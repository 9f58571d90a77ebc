import {killBodySchema, killQuerySchema} from '../kill-request.js';
import {listQuerySchema} from '../process-list.js';
import {getQuerySchema, signalSchema} from '../process-routes.js';
import {readyQuerySchema} from '../ready.js';
import {waitQuerySchema} from '../wait.js';
import type {Operation, Operations} from './operation.js';
import {containment, processId} from './process-schemas.js';
import {object, oneOf, reference, text} from './words.js';

const id = 'proc_5f0c2a9e7b6d4c1f8a3e2b1d0c9f8e7a';

const kill = {
	tag: 'Processes',
	summary: 'End a process with all its descendants',
	description:
		'SIGTERM, the grace period, SIGKILL; answered when nothing of it is alive. Again for one that was killed: 200.',
	query: killQuerySchema,
	body: killBodySchema,
	isBodyOptional: true,
	fields: {
		process_id: 'Which one; in the path, the query or the body.',
		signal: 'What the tree is asked to end with; SIGTERM unless given.',
		grace_period: 'Seconds between that and SIGKILL; 0 is SIGKILL at once.',
	},
	answer: object({
		process_id: processId,
		status: oneOf(['killed'], 'It has ended.'),
		message: text('What was looked at.'),
		containment,
	}),
	problems: ['RESOURCE_NOT_FOUND'],
} as const satisfies Partial<Operation>;

const killed = {
	process_id: id,
	status: 'killed',
	message: `Process ${id} was killed: its cgroup is empty`,
	containment: 'cgroup',
};

const details = {
	process_id: id,
	execution_id: id.replace('proc', 'exec'),
	name: 'build',
	owner: null,
	status: 'failed',
	reason: 'exited',
	message: null,
	language: 'bash',
	command: 'npm run build',
	args: null,
	working_dir: '/srv/app',
	timeout: 600,
	pid: 4711,
	created_at: '2026-01-01T12:00:00.000Z',
	started_at: '2026-01-01T12:00:00.010Z',
	completed_at: '2026-01-01T12:00:07.510Z',
	execution_time: 7.5,
	exit_code: 2,
	signal: null,
	stdout: '',
	stderr: 'error: no such file\n',
	stdout_bytes: 0,
	stderr_bytes: 20,
	stdout_dropped: 0,
	stderr_dropped: 0,
	containment: 'cgroup',
	limits: null,
	stdin: false,
	ready: {log: 'compiled', timeout: 60},
	ready_at: null,
	ready_timed_out_at: null,
	leftover: 0,
	blocked: false,
	usage: {cpu_seconds: 6.2, memory_bytes: null, memory_peak_bytes: 104_857_600, processes: 0},
};

/** Endpoints that show processes, wait for them, signal, end and forget them. */
export const processOperations: Operations = {
	'GET /execute/processes': {
		id: 'listProcesses',
		tag: 'Processes',
		summary: 'List processes, newest first',
		query: listQuerySchema,
		fields: {
			status: 'Only those with this status.',
			name: 'Only those with exactly this name.',
			limit: 'How many at most.',
			cursor: 'The next_cursor of another page.',
			tail_bytes: 'How much of each output stream to show.',
		},
		answer: reference('ProcessList'),
		example: {query: {status: 'completed', limit: '10', tail_bytes: '100'}, answer: {processes: [], count: 0}},
	},
	'GET /execute/processes/{process_id}': {
		id: 'getProcess',
		tag: 'Processes',
		summary: 'One process with the end of its output and what it uses',
		query: getQuerySchema,
		fields: {tail_bytes: 'How much of each output stream to show.'},
		answer: reference('ProcessDetails'),
		example: {query: {tail_bytes: '100'}, answer: details},
	},
	'GET /execute/processes/{process_id}/wait': {
		id: 'waitForProcess',
		tag: 'Processes',
		summary: 'Wait for its end',
		description: 'Answered when it has ended, and after the timeout with the process as it is then. Never ends it.',
		query: waitQuerySchema,
		fields: {timeout: 'Seconds.', tail_bytes: 'How much of each output stream to show.'},
		answer: reference('ProcessDetails'),
		example: {query: {timeout: '0.5', tail_bytes: '100'}, answer: details},
	},
	'GET /execute/processes/{process_id}/ready': {
		id: 'waitUntilReady',
		tag: 'Processes',
		summary: 'Wait until it is ready, as its start said it would show',
		description:
			'Answered when it is ready, when it cannot become so any more, and after the timeout with the process as it is then: ready_at tells. One that was started without ready is refused.',
		query: readyQuerySchema,
		fields: {timeout: 'Seconds.'},
		answer: reference('ProcessDetails'),
		problems: ['CONFLICT'],
		example: {query: {timeout: '10'}, answer: details},
	},
	'DELETE /execute/processes/{process_id}': {
		id: 'forgetProcess',
		tag: 'Processes',
		summary: 'Forget a process that has ended, with its output',
		answer: object({
			process_id: processId,
			status: oneOf(['forgotten'], 'There is no such process any more.'),
			message: text('The same as a sentence.'),
		}),
		problems: ['CONFLICT'],
		example: {answer: {process_id: id, status: 'forgotten', message: `Process ${id} was forgotten, with its output`}},
	},
	'POST /execute/processes/{process_id}/signal': {
		id: 'signalProcess',
		tag: 'Processes',
		summary: 'Send a signal to its process group, as a terminal does',
		body: signalSchema,
		fields: {signal: 'Its name, for instance SIGHUP.'},
		answer: object({process_id: processId, signal: text('What was sent.'), message: text('The same as a sentence.')}),
		example: {
			body: {signal: 'SIGCONT'},
			answer: {process_id: id, signal: 'SIGCONT', message: `SIGCONT was sent to process ${id}`},
		},
	},
	'DELETE /execute/kill': {...kill, id: 'killProcess', example: {body: {process_id: id}, answer: killed}},
	'POST /execute/kill/{process_id}': {
		...kill,
		id: 'killProcessByPath',
		example: {query: {grace_period: '1.5'}, answer: killed},
	},
	'POST /processes/{process_id}/kill': {
		...kill,
		id: 'killProcessOfOlderClients',
		example: {body: {signal: 'SIGINT', grace_period: 2}, answer: killed},
	},
};
