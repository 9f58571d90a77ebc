import {createParser, type EventSourceMessage} from 'eventsource-parser';

/** One event of a stream as it arrived (WHATWG HTML, "Server-sent events"). */
export interface ReceivedEvent {
	/** `undefined` where it has none. */
	readonly id: string | undefined;
	/** `message` where it has no type. */
	readonly type: string;
	readonly data: string;
}

/** Reads events as their bytes come, whatever they are cut into. What is not complete at the end is left out. */
export async function* parseEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ReceivedEvent> {
	const decoder = new TextDecoder();
	const messages: EventSourceMessage[] = [];
	const parser = createParser({onEvent: message => messages.push(message)});
	for await (const chunk of chunks) {
		parser.feed(decoder.decode(chunk, {stream: true}));
		for (const {id, event = 'message', data} of messages.splice(0)) {
			yield {id, type: event, data};
		}
	}
}
