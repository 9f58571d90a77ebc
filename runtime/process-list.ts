import * as v from 'valibot';
import type {ListOptions, ProcessPage, PublicStatus} from '../lib/index.js';
import {parseQuery} from './fields.js';
import {listedProcessJson} from './process-json.js';
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

/**
 * The list of processes as pieces of JSON. It is read from the supervisor slice by slice, as fast as the client
 * takes it: 1,000 processes with all the output that may be asked for are 130 MB.
 *
 * Rejects before the first piece with `Problem` or `QueryInvalidError`.
 */
export async function listProcesses(
	supervisor: SupervisorView,
	query: URLSearchParams,
	now: () => number,
): Promise<AsyncIterable<string>> {
	const {limit, tail_bytes: tailBytes, ...filter} = parseQuery(listQuerySchema, query);
	const sliceSize = Math.max(1, Math.floor(sliceBytes / (2 * tailBytes + 1024)));
	const read = (rest: number, cursor?: string) => {
		const options: ListOptions = {...filter, tailBytes, limit: Math.min(rest, sliceSize)};
		return supervisor.list(cursor === undefined ? options : {...options, cursor});
	};
	return pieces(await read(limit), limit, read, now);
}

async function* pieces(
	first: ProcessPage,
	limit: number,
	read: (rest: number, cursor: string) => Promise<ProcessPage>,
	now: () => number,
): AsyncGenerator<string> {
	let page = first;
	let count = page.processes.length;
	yield `{"processes":[${joined(page, now())}`;
	while (page.nextCursor !== null && count < limit) {
		page = await read(limit - count, page.nextCursor);
		count += page.processes.length;
		yield page.processes.length === 0 ? '' : `,${joined(page, now())}`;
	}

	const next = page.nextCursor === null ? '' : `,"next_cursor":${JSON.stringify(page.nextCursor)}`;
	yield `],"count":${count}${next}}`;
}

function joined({processes}: ProcessPage, now: number): string {
	return processes.map(process => JSON.stringify(listedProcessJson(process, now))).join(',');
}
