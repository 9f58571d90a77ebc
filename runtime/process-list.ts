import * as v from 'valibot';
import type {ListOptions, ProcessPage, ProcessWithOutput, PublicStatus} from '../lib/index.js';
import {parseQuery} from './fields.js';
import {listedProcessJson} from './process-json.js';
import type {Answer} from './router.js';
import type {SupervisorView} from './supervisor-view.js';
import {someText, wholeNumber} from './text-schemas.js';

const statuses = ['queued', 'running', 'completed', 'failed', 'killed'] as const satisfies readonly PublicStatus[];

export const listQuerySchema = v.object({
	status: v.optional(v.picklist(statuses, `must be one of ${statuses.join(', ')}`)),
	name: v.optional(someText),
	limit: v.optional(wholeNumber(1, 1000), '1000'),
	cursor: v.optional(someText),
	tail_bytes: v.optional(wholeNumber(0, 65_536), '8192'),
});

/** About as much of a list as is in memory at a time. */
const sliceBytes = 2_097_152;

/** The list of processes as JSON. */
export class ProcessList {
	#lastPage: KeptPage | null = null;

	constructor(private readonly now: () => number) {}

	/**
	 * One that is long is read from the supervisor slice by slice, as fast as the client takes it: 1,000 processes with
	 * all the output that may be asked for are 130 MB.
	 *
	 * Rejects before the first piece with `Problem` or `QueryInvalidError`.
	 */
	async answer(supervisor: SupervisorView, query: URLSearchParams): Promise<Answer> {
		const {limit, tail_bytes: tailBytes, ...filter} = parseQuery(listQuerySchema, query);
		const sliceSize = Math.max(1, Math.floor(sliceBytes / (2 * tailBytes + 1024)));
		const read = (rest: number, cursor?: string) => {
			const options: ListOptions = {...filter, tailBytes, limit: Math.min(rest, sliceSize)};
			return supervisor.list(cursor === undefined ? options : {...options, cursor});
		};
		const first = await read(limit);
		// One that is there whole is sent whole: pieces cost more than all the rest.
		return isLast(first, first.processes.length, limit)
			? {text: this.#textOf(first), contentType: 'application/json'}
			: {pieces: pieces(first, limit, read, this.now)};
	}

	/** Whoever looks again and again mostly sees the same. */
	#textOf(page: ProcessPage): Uint8Array {
		if (this.#lastPage !== null && isSamePage(this.#lastPage.page, page)) {
			return this.#lastPage.text;
		}

		const text = Buffer.from(beginning(page, this.now()) + ending(page, page.processes.length));
		this.#lastPage = page.processes.every(staysAsItIs) ? {page, text} : null;
		return text;
	}
}

interface KeptPage {
	readonly page: ProcessPage;
	readonly text: Uint8Array;
}

function isSamePage(one: ProcessPage, other: ProcessPage): boolean {
	return (
		one.nextCursor === other.nextCursor &&
		one.processes.length === other.processes.length &&
		one.processes.every((process, index) => process === other.processes[index])
	);
}

function isLast({nextCursor}: ProcessPage, count: number, limit: number): boolean {
	return nextCursor === null || count >= limit;
}

async function* pieces(
	first: ProcessPage,
	limit: number,
	read: (rest: number, cursor?: string) => Promise<ProcessPage>,
	now: () => number,
): AsyncGenerator<string> {
	let page = first;
	let count = page.processes.length;
	yield beginning(page, now());
	while (!isLast(page, count, limit)) {
		page = await read(limit - count, page.nextCursor ?? undefined);
		count += page.processes.length;
		yield page.processes.length === 0 ? '' : `,${joined(page, now())}`;
	}

	yield ending(page, count);
}

function beginning(page: ProcessPage, now: number): string {
	return `{"processes":[${joined(page, now)}`;
}

function ending({nextCursor}: ProcessPage, count: number): string {
	const next = nextCursor === null ? '' : `,"next_cursor":${JSON.stringify(nextCursor)}`;
	return `],"count":${count}${next}}`;
}

function joined({processes}: ProcessPage, now: number): string {
	return processes.map(process => listedText(process, now)).join(',');
}

/** The library gives the same object again for an ended process that has not changed: its text is then as it was. */
const keptTexts = new WeakMap<ProcessWithOutput, string>();

function staysAsItIs({endedAt, stdout, stderr}: ProcessWithOutput): boolean {
	return endedAt !== null && stdout === '' && stderr === '';
}

function listedText(process: ProcessWithOutput, now: number): string {
	const kept = keptTexts.get(process);
	if (kept !== undefined) {
		return kept;
	}

	const text = JSON.stringify(listedProcessJson(process, now));
	if (staysAsItIs(process)) {
		keptTexts.set(process, text);
	}

	return text;
}
