import {commandBodySchema} from '../../lib/index.js';
import {codeBodySchema} from '../code.js';
import type {Operation, Operations} from './operation.js';
import {reference} from './words.js';

const id = '5f0c2a9e7b6d4c1f8a3e2b1d0c9f8e7a';

const shared = {
	tag: 'Commands',
	headers: {
		'Idempotency-Key':
			'Makes a retry safe: the same key with the same body gives the first answer, with another body 409.',
	},
	problems: ['CONFLICT', 'QUEUE_FULL', 'INSUFFICIENT_STORAGE'],
} as const satisfies Partial<Operation>;

const fields = {
	command: 'Run by bash -c; with args, the program itself, without a shell.',
	args: 'Arguments of the program, each at most 131,071 bytes.',
	timeout: 'Allowed running time in seconds, 0 for no limit; 300 unless the daemon is set up otherwise.',
	working_dir: 'Must exist; where the daemon runs unless given.',
	workdir: 'The same; only one of the two may be given.',
	env: 'Added to the environment, wins over it. Never shown again.',
	name: 'For people; need not be unique.',
	leftover: 'What becomes of descendants that outlive the command: kept until its timeout, or ended at once.',
	limits: 'What the whole tree may use; needs cgroups.',
	ready: 'How it shows that it can do what it was started for: one of port, http and log; timeout in seconds.',
	stdin: 'Whether its standard input is a pipe that others may write into; else it is empty.',
};

const started = {process_id: `proc_${id}`, execution_id: `exec_${id}`, status: 'running'};

/** Endpoints that start commands. */
export const commandOperations: Operations = {
	'POST /commands/background': {
		...shared,
		id: 'startCommand',
		summary: 'Start a command and answer at once',
		description: 'From the answer on it runs exactly once, whatever crashes. No 5xx is sent once it may have started.',
		body: commandBodySchema,
		fields,
		answer: reference('Start'),
		example: {
			body: {command: 'echo hello', name: 'greeting', timeout: 60, working_dir: '/tmp', env: {LANG: 'C'}},
			answer: started,
		},
	},
	'POST /commands/run': {
		...shared,
		id: 'runCommand',
		summary: 'Run a command and wait for its end',
		description:
			'A client that leaves does not end it: it runs on, and the list finds it. Where the daemon is ended meanwhile, the answer has the status running.',
		body: commandBodySchema,
		fields,
		answer: reference('Result'),
		example: {
			body: {command: 'bash', args: ['-c', 'echo hello; exit 3'], timeout: 30, workdir: '/tmp'},
			answer: {
				success: false,
				stdout: 'hello\n',
				stderr: '',
				exit_code: 3,
				execution_time: 0.01,
				command: 'bash',
				pid: 4711,
				timestamp: '2026-01-01T12:00:00.000Z',
				process_id: `proc_${id}`,
				execution_id: `exec_${id}`,
				status: 'failed',
				reason: 'exited',
				signal: null,
				message: null,
				stdout_bytes: 6,
				stderr_bytes: 0,
				stdout_truncated: false,
				stderr_truncated: false,
			},
		},
	},
	'POST /execute/background': {
		...shared,
		id: 'startCode',
		summary: 'Start a piece of code and answer at once',
		body: codeBodySchema,
		fields: {
			...fields,
			code: 'What to run; python and javascript at most 131,000 bytes.',
			language: 'python needs python3; javascript is run by the Node.js of the daemon.',
		},
		answer: reference('Start'),
		example: {body: {code: 'console.log(1 + 1)', language: 'javascript', name: 'sum'}, answer: started},
	},
};
