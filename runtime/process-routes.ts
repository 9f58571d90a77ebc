import * as v from 'valibot';
import type {Containment} from '../lib/index.js';
import {asObject, parseFields, parseQuery} from './fields.js';
import {parseKillRequest} from './kill-request.js';
import {assertProcessId} from './process-id.js';
import {processDetailsJson} from './process-json.js';
import {listProcesses} from './process-list.js';
import type {Answer, Call, Route} from './router.js';
import {wholeNumber} from './text-schemas.js';

/** Endpoints that show, signal and end processes. */
export function processRoutes(now: () => number): Route[] {
	return [
		{
			method: 'GET',
			path: '/execute/processes',
			scope: 'read',
			handle: async ({supervisor, query}) => ({pieces: await listProcesses(supervisor, query, now)}),
		},
		{
			method: 'GET',
			path: '/execute/processes/{process_id}',
			scope: 'read',
			handle: call => getProcess(call, now),
		},
		{method: 'POST', path: '/execute/processes/{process_id}/signal', scope: 'kill', handle: signalProcess},
		{method: 'DELETE', path: '/execute/kill', scope: 'kill', handle: killProcess},
		{method: 'POST', path: '/execute/kill/{process_id}', scope: 'kill', handle: killProcess},
		{method: 'POST', path: '/processes/{process_id}/kill', scope: 'kill', handle: killProcess},
	];
}

export const getQuerySchema = v.object({tail_bytes: v.optional(wholeNumber(0, 1_048_576), '65536')});

async function getProcess({supervisor, parameters, query}: Call, now: () => number): Promise<Answer> {
	const {process_id: processId = ''} = parameters;
	assertProcessId(processId);
	const {tail_bytes: tailBytes} = parseQuery(getQuerySchema, query);
	return {json: processDetailsJson(await supervisor.get(processId, {tailBytes}), now())};
}

async function killProcess({supervisor, parameters, query, readBody}: Call): Promise<Answer> {
	const {processId, ...options} = parseKillRequest(parameters['process_id'], query, await readBody());
	const {containment} = await supervisor.kill(processId, options);
	const message = `Process ${processId} was killed: ${proofs[containment]}`;
	return {json: {process_id: processId, status: 'killed', message, containment}};
}

/** What was looked at, and no more: outside a cgroup a program can shed all that it would be known by. */
const proofs: Readonly<Record<Containment, string>> = {
	cgroup: 'its cgroup is empty',
	session: 'nothing of its group, its descendants or with its cookie is alive',
};

export const signalSchema = v.object({signal: v.string('must be the name of a signal, for instance SIGHUP')});

async function signalProcess({supervisor, parameters, query, readBody}: Call): Promise<Answer> {
	const {process_id: processId = ''} = parameters;
	assertProcessId(processId);
	parseQuery(v.object({}), query);
	const {signal} = parseFields('field', signalSchema, asObject(await readBody()));
	// The library knows the names.
	await supervisor.signal(processId, signal as NodeJS.Signals);
	return {json: {process_id: processId, signal, message: `${signal} was sent to process ${processId}`}};
}
