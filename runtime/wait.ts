import * as v from 'valibot';
import {type Supervisor, WaitAbortedError} from '../lib/index.js';
import {parseQuery} from './fields.js';
import {assertProcessId} from './process-id.js';
import {processDetailsJson} from './process-json.js';
import type {Answer, Call} from './router.js';
import {secondsAsMs, wholeNumber} from './text-schemas.js';

const querySchema = v.object({
	timeout: v.optional(secondsAsMs(3600), '60'),
	tail_bytes: v.optional(wholeNumber(0, 1_048_576), '65536'),
});

/** `GET …/wait`: answers with the process once it has ended, and after the timeout as it is then. Never ends it. */
export async function waitForProcess(
	supervisor: Supervisor,
	{parameters, query, gone}: Call,
	now: () => number,
): Promise<Answer> {
	const {process_id: processId = ''} = parameters;
	assertProcessId(processId);
	const {timeout: timeoutMs, tail_bytes: tailBytes} = parseQuery(querySchema, query);
	await waitUntil(supervisor, processId, timeoutMs, gone);
	return {json: processDetailsJson(await supervisor.get(processId, {tailBytes}), now())};
}

async function waitUntil(supervisor: Supervisor, processId: string, timeoutMs: number, gone: AbortSignal) {
	const patience = new AbortController();
	const giveUp = () => patience.abort();
	const timer = setTimeout(giveUp, timeoutMs);
	gone.addEventListener('abort', giveUp);
	try {
		await supervisor.wait(processId, {signal: patience.signal});
	} catch (error) {
		// It has not ended: its status says so.
		if (!(error instanceof WaitAbortedError)) {
			throw error;
		}
	} finally {
		clearTimeout(timer);
		gone.removeEventListener('abort', giveUp);
	}
}
