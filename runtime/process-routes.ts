import * as v from 'valibot';
import type {Containment} from '../lib/index.js';
import {asObject, parseFields, parseQuery, refuseQuery} from './fields.js';
import {parseKillRequest} from './kill-request.js';
import {readProcessId} from './process-id.js';
import {processDetailsJson} from './process-json.js';
import {ProcessList} from './process-list.js';
import {waitUntilReady} from './ready.js';
import type {Answer, Call, Route} from './router.js';
import {wholeNumber} from './text-schemas.js';
import {waitForProcess} from './wait.js';

/** Endpoints that show processes, wait for them, signal, end and forget them. */
export function processRoutes(now: () => number): Route[] {
	const list = new ProcessList(now);
	return [
		{
			method: 'GET',
			path: '/execute/processes',
			scope: 'read',
			handle: ({supervisor, query}) => list.answer(supervisor, query),
		},
		{
			method: 'GET',
			path: '/execute/processes/{process_id}',
			scope: 'read',
			handle: call => getProcess(call, now),
		},
		{
			method: 'GET',
			path: '/execute/processes/{process_id}/wait',
			scope: 'read',
			handle: call => waitForProcess(call, now),
		},
		{
			method: 'GET',
			path: '/execute/processes/{process_id}/ready',
			scope: 'read',
			handle: call => waitUntilReady(call, now),
		},
		{method: 'DELETE', path: '/execute/processes/{process_id}', scope: 'kill', handle: forgetProcess},
		{
			method: 'POST',
			path: '/execute/processes/{process_id}/signal',
			scope: 'kill',
			takesBody: true,
			handle: signalProcess,
		},
		{method: 'DELETE', path: '/execute/kill', scope: 'kill', takesBody: true, handle: killProcess},
		{method: 'POST', path: '/execute/kill/{process_id}', scope: 'kill', takesBody: true, handle: killProcess},
		{method: 'POST', path: '/processes/{process_id}/kill', scope: 'kill', takesBody: true, handle: killProcess},
	];
}

export const getQuerySchema = v.object({tail_bytes: v.optional(wholeNumber(0, 1_048_576), '65536')});

async function getProcess(call: Call, now: () => number): Promise<Answer> {
	const processId = readProcessId(call);
	const {tail_bytes: tailBytes} = parseQuery(getQuerySchema, call.query);
	return {json: processDetailsJson(await call.supervisor.get(processId, {tailBytes}), now())};
}

async function forgetProcess(call: Call): Promise<Answer> {
	const processId = readProcessId(call);
	refuseQuery(call.query);
	await call.supervisor.forget(processId);
	const message = `Process ${processId} was forgotten, with its output`;
	return {json: {process_id: processId, status: 'forgotten', message}};
}

async function killProcess({supervisor, parameters, query, readBody}: Call): Promise<Answer> {
	const {processId, ...options} = parseKillRequest(parameters['process_id'], query, await readBody());
	const {containment, startedAt} = await supervisor.kill(processId, options);
	const proof = startedAt === null ? 'it had not begun, and never will' : proofs[containment];
	const message = `Process ${processId} was killed: ${proof}`;
	return {json: {process_id: processId, status: 'killed', message, containment}};
}

/** What was looked at, and no more: outside a cgroup a program can shed all that it would be known by. */
const proofs: Readonly<Record<Containment, string>> = {
	cgroup: 'its cgroup is empty',
	session: 'nothing of its group, its descendants or with its cookie is alive',
};

export const signalSchema = v.object({signal: v.string('must be the name of a signal, for instance SIGHUP')});

async function signalProcess(call: Call): Promise<Answer> {
	const processId = readProcessId(call);
	refuseQuery(call.query);
	const {signal} = parseFields('field', signalSchema, asObject(await call.readBody()));
	// The library knows the names.
	await call.supervisor.signal(processId, signal as NodeJS.Signals);
	return {json: {process_id: processId, signal, message: `${signal} was sent to process ${processId}`}};
}
