import * as v from 'valibot';
import {WaitAbortedError} from '../lib/index.js';
import {parseQuery} from './fields.js';
import {readProcessId} from './process-id.js';
import {processDetailsJson} from './process-json.js';
import type {Answer, Call} from './router.js';
import type {SupervisorView} from './supervisor-view.js';
import {secondsAsMs, wholeNumber} from './text-schemas.js';

export const waitQuerySchema = v.object({
	timeout: v.optional(secondsAsMs(3600), '60'),
	tail_bytes: v.optional(wholeNumber(0, 1_048_576), '65536'),
});

/** `GET …/wait`: answers with the process once it has ended, and after the timeout as it is then. Never ends it. */
export async function waitForProcess(call: Call, now: () => number): Promise<Answer> {
	const processId = readProcessId(call);
	const {supervisor, query, gone} = call;
	const {timeout: timeoutMs, tail_bytes: tailBytes} = parseQuery(waitQuerySchema, query);
	await waitUntil(supervisor, processId, timeoutMs, gone);
	return {json: processDetailsJson(await supervisor.get(processId, {tailBytes}), now())};
}

async function waitUntil(supervisor: SupervisorView, processId: string, timeoutMs: number, gone: AbortSignal) {
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
