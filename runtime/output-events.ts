import {isUtf8} from 'node:buffer';
import * as v from 'valibot';
import type {OutputChunk, OutputStream} from '../lib/index.js';
import type {ServerSentEvent} from './event-stream.js';
import {parseQuery} from './fields.js';
import {streamSchema} from './output-query.js';
import {wholeCharacters} from './output-text.js';
import {Problem} from './problem.js';
import {processDetailsJson} from './process-json.js';
import type {Call} from './router.js';

type Offsets = Record<OutputStream, number>;

const positionProblem = 'must be the id of an event of this stream, for instance stdout:120,stderr:0';
const positionPattern = /^(?:(stdout|stderr):(\d{1,15}))(?:,(?!\1)(stdout|stderr):(\d{1,15}))?$/;

const position = v.pipe(
	v.string(),
	v.regex(positionPattern, positionProblem),
	v.transform(text => {
		const [, first = 'stdout', offset, second, otherOffset] = positionPattern.exec(text) ?? [];
		return {
			...start,
			[first]: Number(offset),
			...(second === undefined ? {} : {[second]: Number(otherOffset)}),
		};
	}),
);

const start: Offsets = {stdout: 0, stderr: 0};

export const streamQuerySchema = v.object({stream: v.optional(streamSchema), from: v.optional(position)});

/**
 * Both streams of a process as events, from where the client left off, ending with the process. Each has an id that
 * says how far both were shown by then: whoever comes back with it gets every byte once.
 *
 * Rejects with `ProcessNotFoundError` or `Problem` before the first event.
 */
export async function outputEvents(
	processId: string,
	{supervisor, query, header, gone}: Call,
	now: () => number,
): Promise<AsyncIterable<ServerSentEvent>> {
	const {stream, from} = parseQuery(streamQuerySchema, query);
	const lastEventId = header('last-event-id');
	// A browser that comes back asks the same address again: how far it came since is in the header.
	const offsets = lastEventId ? parsePosition(lastEventId) : (from ?? start);
	await supervisor.get(processId, {tailBytes: 0});
	const chunks = supervisor.output(processId).follow({stream, from: offsets, signal: gone});
	const end = async () =>
		gone.aborted ? null : processDetailsJson(await supervisor.get(processId, {tailBytes: 0}), now());
	return events(chunks, offsets, end);
}

function parsePosition(text: string): Offsets {
	const parsed = v.safeParse(position, text);
	if (!parsed.success) {
		throw new Problem('INVALID_REQUEST', `Last-Event-ID ${positionProblem}`, {field: 'Last-Event-ID'});
	}

	return parsed.output;
}

async function* events(
	chunks: AsyncIterable<OutputChunk>,
	offsets: Offsets,
	end: () => Promise<object | null>,
): AsyncGenerator<ServerSentEvent> {
	const display = new Display(offsets);
	for await (const chunk of chunks) {
		yield* display.show(chunk);
	}

	const last = await end();
	// Cut off in the middle, a client is not told that this was all.
	if (last !== null) {
		yield* display.showRest();
		yield {id: display.id, event: 'end', data: last};
	}
}

/** What a client has been shown, and what waits for the rest of its character. */
class Display {
	readonly #shown: Offsets;
	readonly #unfinished: Record<OutputStream, Uint8Array> = {stdout: new Uint8Array(), stderr: new Uint8Array()};

	constructor(offsets: Offsets) {
		this.#shown = {...offsets};
	}

	get id(): string {
		return `stdout:${this.#shown.stdout},stderr:${this.#shown.stderr}`;
	}

	*show({stream, bytes, gap}: OutputChunk): Generator<ServerSentEvent> {
		if (gap !== null) {
			yield* this.#showAll(stream, this.#unfinished[stream]);
			this.#shown[stream] = gap.to;
			yield {id: this.id, event: 'gap', data: {stream, from: gap.from, to: gap.to}};
		}

		const all = this.#unfinished[stream].length === 0 ? bytes : Buffer.concat([this.#unfinished[stream], bytes]);
		const length = wholeCharacters(all);
		yield* this.#showAll(stream, length === all.length ? all : all.subarray(0, length));
		this.#unfinished[stream] = all.subarray(length);
	}

	/** It will not become a character any more. */
	*showRest(): Generator<ServerSentEvent> {
		yield* this.#showAll('stdout', this.#unfinished.stdout);
		yield* this.#showAll('stderr', this.#unfinished.stderr);
	}

	*#showAll(stream: OutputStream, bytes: Uint8Array): Generator<ServerSentEvent> {
		this.#unfinished[stream] = new Uint8Array();
		if (bytes.length === 0) {
			return;
		}

		const offset = this.#shown[stream];
		this.#shown[stream] += bytes.length;
		yield {id: this.id, event: stream, data: dataOf(offset, bytes)};
	}
}

/** The library gives the same bytes to all who follow a process: what is made of them is made once. */
const shown = new WeakMap<Uint8Array, {readonly offset: number}>();

function dataOf(offset: number, bytes: Uint8Array): object {
	const kept = shown.get(bytes);
	if (kept?.offset === offset) {
		return kept;
	}

	const data = {offset, ...encoded(bytes)};
	shown.set(bytes, data);
	return data;
}

/** Text where it is UTF-8: what is not would come out as something else. */
function encoded(bytes: Uint8Array): object {
	const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
	return isUtf8(buffer) ? {text: buffer.toString('utf8')} : {text: buffer.toString('base64'), encoding: 'base64'};
}
