import {eventTypes} from '../../lib/index.js';
import {eventsQuerySchema} from '../events.js';
import {streamQuerySchema} from '../output-events.js';
import {outputQuerySchema} from '../output-query.js';
import {inputBodySchema, inputQuerySchema} from '../stdin.js';
import type {Operation, Operations} from './operation.js';
import {processId} from './process-schemas.js';
import {stream} from './stream-schemas.js';
import {integer, object, orNull, reference, text, truth} from './words.js';

const id = 'proc_5f0c2a9e7b6d4c1f8a3e2b1d0c9f8e7a';

const input = {
	tag: 'Processes',
	answer: object({
		process_id: processId,
		bytes: integer('How many were written.'),
		closed: truth('Whether the command reads the end of its input now.'),
	}),
	problems: ['CONFLICT'],
} as const satisfies Partial<Operation>;

const outputId = 'stdout:6,stderr:0';

/** Endpoints that give what processes write and what becomes of them, and that write to them. */
export const streamOperations: Operations = {
	'GET /events': {
		id: 'followEvents',
		tag: 'Events',
		summary: 'What becomes of processes, as it happens',
		description:
			'Server-sent events without an end. The data of each is an Event, that of a gap an EventGap. With after or Last-Event-ID those that were missed come first, none missing and none twice, also over restarts of the daemon; without them only what comes from now on. A token with own is told of what its subject started, and of nothing else.',
		query: eventsQuerySchema,
		headers: {'Last-Event-ID': 'The id of the last event that was seen. Goes before after.'},
		fields: {
			after: 'The number of the last event that was seen; 0 for all that are kept.',
			process_id: 'Only of this process, also after it was forgotten.',
			type: `Only of these types, with commas: ${eventTypes.join(', ')}.`,
		},
		answer: text('Lines with id, event and data, as the WHATWG HTML standard has them.'),
		answerType: 'text/event-stream',
		problems: ['RESOURCE_NOT_FOUND'],
		example: {
			query: {after: '0', type: 'started,ended'},
			answer: 'event: gap\ndata: {"from":1,"to":6}\n\n',
		},
	},
	'GET /execute/processes/{process_id}/output': {
		id: 'readOutput',
		tag: 'Output',
		summary: 'A part of what it has written',
		description:
			'From next_offset on follows what comes after it, every byte once. As exact bytes with format=raw or Accept: application/octet-stream, also with Range; x-output-offset and x-output-gap say what these bytes are.',
		query: outputQuerySchema,
		headers: {Range: 'RFC 9110 section 14, for bytes: which of all that was ever written.'},
		fields: {
			stream: 'Which of the two.',
			offset:
				'Where to begin, counted from the first byte ever written. Before what is kept means at its first byte, beyond the end means at the end: the answer says where its bytes are.',
			limit: 'How many bytes at most.',
			tail: 'In place of offset: so many bytes before the end.',
			format: 'raw for exact bytes.',
		},
		answer: object({
			process_id: processId,
			stream,
			offset: integer('Of the first byte.'),
			next_offset: integer('Where to go on.'),
			total_bytes: integer('How many were ever written.'),
			gap: orNull(reference('OutputGap')),
			truncated: truth('Whether there is more than this.'),
			text: text('What was written; what is not UTF-8 is marked with U+FFFD.'),
		}),
		asBytes: 'hello\n',
		problems: ['RANGE_NOT_SATISFIABLE'],
		example: {
			query: {stream: 'stdout', offset: '0', limit: '4096'},
			answer: {
				process_id: id,
				stream: 'stdout',
				offset: 0,
				next_offset: 6,
				total_bytes: 6,
				gap: null,
				truncated: false,
				text: 'hello\n',
			},
		},
	},
	'GET /execute/processes/{process_id}/stream': {
		id: 'followOutput',
		tag: 'Output',
		summary: 'What it has written and writes, until it ends',
		description:
			'Server-sent events: stdout and stderr with an OutputEvent, gap with an OutputEventGap, and last end with the ProcessDetails.',
		query: streamQuerySchema,
		headers: {'Last-Event-ID': 'The id of the last event that was seen: every byte after it comes once.'},
		fields: {stream: 'Only this one.', from: 'The same as Last-Event-ID, which goes before it.'},
		answer: text('Lines with id, event and data, as the WHATWG HTML standard has them.'),
		answerType: 'text/event-stream',
		example: {
			query: {stream: 'stdout', from: 'stdout:0,stderr:0'},
			answer: `id: ${outputId}\nevent: stdout\ndata: {"offset":0,"text":"hello\\n"}\n\n`,
		},
	},
	'POST /execute/processes/{process_id}/stdin': {
		...input,
		id: 'writeInput',
		summary: 'Write to its standard input',
		description:
			'As JSON, or as the bytes themselves. Answered when all is in its pipe: 409 with taken_bytes where it does not read, or was not started with stdin.',
		query: inputQuerySchema,
		body: inputBodySchema,
		isBodyOptional: true,
		takesBytes: true,
		fields: {
			data: 'What to write.',
			encoding: 'Of data.',
			close: 'Whether to close it afterwards: the command reads its end.',
		},
		example: {
			body: {data: 'aGVsbG8K', encoding: 'base64', close: true},
			answer: {process_id: id, bytes: 6, closed: true},
		},
	},
	'DELETE /execute/processes/{process_id}/stdin': {
		...input,
		id: 'closeInput',
		summary: 'Close its standard input: the command reads its end',
		example: {answer: {process_id: id, bytes: 0, closed: true}},
	},
};
