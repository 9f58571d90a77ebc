import {streamEvents} from './events.js';
import {bytesAnswer} from './output-bytes.js';
import {outputEvents} from './output-events.js';
import {parseOutputQuery} from './output-query.js';
import {outputJson} from './output-text.js';
import {readProcessId} from './process-id.js';
import type {Answer, Call, Route} from './router.js';
import {closeInput, writeInput} from './stdin.js';

/** Endpoints that give what processes write and what becomes of them, and that write to them. */
export function streamRoutes(now: () => number): Route[] {
	return [
		{method: 'GET', path: '/events', scope: 'read', handle: streamEvents},
		{method: 'GET', path: '/execute/processes/{process_id}/output', scope: 'read', handle: readOutput},
		{
			method: 'GET',
			path: '/execute/processes/{process_id}/stream',
			scope: 'read',
			handle: async call => ({events: await outputEvents(readProcessId(call), call, now)}),
		},
		{
			method: 'POST',
			path: '/execute/processes/{process_id}/stdin',
			scope: 'start',
			takesBody: true,
			handle: writeInput,
		},
		{method: 'DELETE', path: '/execute/processes/{process_id}/stdin', scope: 'start', handle: closeInput},
	];
}

async function readOutput(call: Call): Promise<Answer> {
	const processId = readProcessId(call);
	const {format, ...query} = parseOutputQuery(call);
	const output = call.supervisor.output(processId);
	if (format === 'raw') {
		return bytesAnswer(output, query, call.header('range'));
	}

	return {json: outputJson(processId, await output.read(query), query.tail !== undefined)};
}
