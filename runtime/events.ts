import * as v from 'valibot';
import {type AnyProcessEvent, type EventFeedItem, type EventType, eventTypes} from '../lib/index.js';
import type {ServerSentEvent} from './event-stream.js';
import {parseQuery} from './fields.js';
import {Problem} from './problem.js';
import {assertProcessId} from './process-id.js';
import {eventProcessJson, isoTime} from './process-json.js';
import type {Answer, Call} from './router.js';
import {someText, wholeNumber} from './text-schemas.js';

const sequence = wholeNumber(0, Number.MAX_SAFE_INTEGER);

export const eventsQuerySchema = v.object({
	after: v.optional(sequence),
	process_id: v.optional(someText),
	type: v.optional(someText),
});

/** `GET /events`. Who comes back is told what it has missed since its `Last-Event-ID`. */
export function streamEvents({supervisor, query, header, gone}: Call): Answer {
	const {after, process_id: processId, type} = parseQuery(eventsQuerySchema, query);
	if (processId !== undefined) {
		assertProcessId(processId);
	}

	const events = supervisor.events({
		// A browser comes back with the address that it began with: what it has seen since counts.
		after: readLastEventId(header('last-event-id')) ?? after,
		processId,
		types: type === undefined ? undefined : parseTypes(type),
		signal: gone,
	});
	return {events: toServerSent(events)};
}

function readLastEventId(id: string | undefined): number | undefined {
	if (id === undefined || id === '') {
		return undefined;
	}

	const parsed = v.safeParse(sequence, id);
	if (!parsed.success) {
		throw new Problem('INVALID_REQUEST', 'Last-Event-ID must be the number of an event', {field: 'Last-Event-ID'});
	}

	return parsed.output;
}

function parseTypes(list: string): EventType[] {
	const types = list.split(',');
	if (types.every(isEventType)) {
		return types;
	}

	throw new Problem('INVALID_REQUEST', `type must be one or more of ${eventTypes.join(',')}, with commas`, {
		field: 'type',
	});
}

function isEventType(name: string): name is EventType {
	return (eventTypes as readonly string[]).includes(name);
}

async function* toServerSent(items: AsyncIterable<EventFeedItem>): AsyncGenerator<ServerSentEvent> {
	for await (const item of items) {
		if (item.type === 'gap') {
			// Without an id: events of before it that are kept come after it.
			yield {event: item.type, data: {from: item.from, to: item.to}};
		} else {
			yield {id: String(item.sequence), event: item.type, data: eventJson(item)};
		}
	}
}

function eventJson(event: AnyProcessEvent): object {
	const {sequence, at, type, process} = event;
	return {
		sequence,
		at: isoTime(at),
		type,
		...(event.type === 'stopping' ? {why: event.why} : {}),
		process: eventProcessJson(process, at),
	};
}
