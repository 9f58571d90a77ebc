import * as v from 'valibot';
import {NotReadyError, WaitAbortedError} from '../lib/index.js';
import {parseQuery} from './fields.js';
import {readProcessId} from './process-id.js';
import {processDetailsJson} from './process-json.js';
import type {Answer, Call} from './router.js';
import {secondsAsMs} from './text-schemas.js';

const maxSeconds = 300;
export const readyQuerySchema = v.object({timeout: v.optional(secondsAsMs(maxSeconds), '30')});

/**
 * Answers with the process when it is ready, when it cannot become so any more, or when the client's `timeout`
 * (seconds) is over: then as it is. `ready_at` tells.
 */
export async function waitUntilReady(call: Call, now: () => number): Promise<Answer> {
	const processId = readProcessId(call);
	const {supervisor} = call;
	const {timeout} = parseQuery(readyQuerySchema, call.query);
	const signal = AbortSignal.any([call.gone, AbortSignal.timeout(timeout)]);
	try {
		await supervisor.ready(processId, {signal});
	} catch (error) {
		const isAnswer =
			error instanceof WaitAbortedError || (error instanceof NotReadyError && error.why !== 'undeclared');
		if (!isAnswer) {
			throw error;
		}
	}

	return {json: processDetailsJson(await supervisor.get(processId), now())};
}
