import {eventTypes, outputStreams, type StopReason} from '../../lib/index.js';
import type {JsonSchema} from './json-schema.js';
import {integer, moment, object, oneOf, reference, text} from './words.js';

const reasons = ['request', 'timeout'] as const satisfies readonly StopReason[];

/** What has no form that JSON Schema could tell. */
export const bytes: JsonSchema = {type: 'string', contentMediaType: 'application/octet-stream'};

export const stream = oneOf(outputStreams, 'Which of the two.');

/** Bytes of an output that are no longer kept. */
const outputGap = object({
	from: integer('Of the first byte that is missing.'),
	to: integer('Of the first one that is there again.'),
});

/** The data of server-sent events, and pieces of output. */
export const eventSchemas: Readonly<Record<string, JsonSchema>> = {
	Event: object(
		{
			sequence: integer('Its number, also its id in the stream. Rises, over all processes and restarts.'),
			at: moment('When it happened.'),
			type: oneOf(eventTypes, 'Also its name in the stream.'),
			why: oneOf(reasons, 'With stopping: who wants it ended.'),
			process: reference('EventProcess'),
		},
		['why'],
	),
	EventGap: object({
		from: integer('Of these numbers some events are no longer kept: the lowest.'),
		to: integer('The highest.'),
	}),
	OutputEvent: object(
		{
			offset: integer('Of the first byte, counted from the first one ever written.'),
			text: text('What was written.'),
			encoding: oneOf(['base64'], 'Of text, where what was written is not UTF-8.'),
		},
		['encoding'],
	),
	OutputEventGap: object({
		stream,
		from: integer('Of the first byte that is missing.'),
		to: integer('Of the first one that is there again.'),
	}),
	OutputGap: outputGap,
};
