import {languages} from '../code.js';
import type {Operations} from './operation.js';
import {containment} from './process-schemas.js';
import {integer, list, moment, number, object, oneOf, orNull, text, truth} from './words.js';

const uptime = integer('Seconds since the daemon started.');
const version = text('Of nohupd.');
const ok = oneOf(['ok'], 'It answers.');

const disk = object({
	free_bytes: integer('Where the state directory is; without what is reserved for root.'),
	total_bytes: integer('Of the same file system.'),
});

const features = [
	'background_jobs',
	'code_execution',
	'process_management',
	'system_metrics',
	'desktop',
	'file_operations',
	'terminal_access',
] as const;

const machineProcess = object({
	pid: integer('Its number.'),
	parent_pid: integer('Of its parent.'),
	name: text('As the kernel knows it.'),
	command: text('Its command line, cut to 4,096 characters.'),
	user: text('Name or number of the user it runs as.'),
	state: text('One letter, as in ps(1).'),
	cpu_percent: number('Of one processor, since it began.'),
	memory_percent: number('Of the machine.'),
	memory_bytes: integer('Resident set.'),
	started_at: moment('When it began.'),
});

/** Endpoints that tell of the daemon itself and of its machine. */
export const agentOperations: Operations = {
	'GET /ping': {
		id: 'ping',
		tag: 'Daemon',
		summary: 'Whether it is there',
		answer: object({status: ok}),
		example: {answer: {status: 'ok'}},
	},
	'GET /health': {
		id: 'getHealth',
		tag: 'Daemon',
		summary: 'How it is',
		answer: object({
			status: ok,
			version,
			uptime_seconds: uptime,
			running: integer('Processes that run.'),
			queued: integer('Processes that wait for their turn.'),
			containment,
			disk: orNull(disk),
			warnings: list({type: 'string'}, 'What somebody should look after.'),
		}),
		example: {
			answer: {
				status: 'ok',
				version: '0.1.0',
				uptime_seconds: 60,
				running: 3,
				queued: 0,
				containment: 'cgroup',
				disk: {free_bytes: 1_073_741_824, total_bytes: 8_589_934_592},
				warnings: [],
			},
		},
	},
	'GET /info': {
		id: 'getInfo',
		tag: 'Daemon',
		summary: 'What it is and what it can do',
		answer: object({
			agent: oneOf(['nohupd'], 'Its name.'),
			agent_version: version,
			version,
			os: text('Name of the operating system.'),
			os_release: text('Of its kernel.'),
			arch: text('Of the machine.'),
			node_version: text('Of Node.js.'),
			start_time: moment('When it started.'),
			uptime,
			uptime_seconds: uptime,
			features: object({
				...Object.fromEntries(features.map(name => [name, truth('Whether it has that.')])),
				languages: list({type: 'string', enum: [...languages]}, 'In which code can be run.'),
			}),
		}),
		example: {
			answer: {
				agent: 'nohupd',
				agent_version: '0.1.0',
				version: '0.1.0',
				os: 'linux',
				os_release: '6.12.0',
				arch: 'x64',
				node_version: '24.0.0',
				start_time: '2026-01-01T12:00:00.000Z',
				uptime: 60,
				uptime_seconds: 60,
				features: {
					...Object.fromEntries(features.map((name, index) => [name, index < 4])),
					languages: [...languages],
				},
			},
		},
	},
	'GET /metrics/snapshot': {
		id: 'getMetrics',
		tag: 'Daemon',
		summary: 'What has happened since it started',
		answer: object({
			uptime_seconds: uptime,
			total_executions: integer('Commands that were accepted.'),
			active_executions: integer('Processes that run.'),
			queued_executions: integer('Processes that wait for their turn.'),
			requests_total: integer('Requests that were answered.'),
			error_count: integer('Of these, those that were answered with 400 or above.'),
			avg_duration_ms: number('Of the last 1,000 processes that ended.'),
			p95_duration_ms: number('Of the same, what 95 of 100 stayed below.'),
		}),
		example: {
			answer: {
				uptime_seconds: 60,
				total_executions: 20,
				active_executions: 1,
				queued_executions: 0,
				requests_total: 42,
				error_count: 2,
				avg_duration_ms: 350,
				p95_duration_ms: 1200,
			},
		},
	},
	'GET /metrics/prometheus': {
		id: 'getPrometheusMetrics',
		tag: 'Daemon',
		summary: 'The same and more, for Prometheus',
		answer: text('In the text format 0.0.4 of Prometheus.'),
		answerType: 'text/plain',
		example: {answer: '# TYPE nohupd_processes gauge\nnohupd_processes{status="running"} 3\n'},
	},
	'GET /processes': {
		id: 'listMachineProcesses',
		tag: 'Daemon',
		summary: 'All processes of the machine',
		answer: object({processes: list(machineProcess, 'Lowest pid first.'), count: integer('How many.')}),
		example: {
			answer: {
				processes: [
					{
						pid: 1,
						parent_pid: 0,
						name: 'systemd',
						command: '/sbin/init',
						user: 'root',
						state: 'S',
						cpu_percent: 0.1,
						memory_percent: 0.2,
						memory_bytes: 12_582_912,
						started_at: '2026-01-01T00:00:00.000Z',
					},
				],
				count: 1,
			},
		},
	},
	'GET /openapi.json': {
		id: 'getOpenApi',
		tag: 'Daemon',
		summary: 'This document',
		answer: {type: 'object', description: 'OpenAPI 3.1.'},
		example: {answer: {openapi: '3.1.0'}},
	},
};
