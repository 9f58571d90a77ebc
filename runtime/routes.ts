import * as v from 'valibot';
import type {Containment, Supervisor} from '../lib/index.js';
import {streamEvents} from './events.js';
import {asObject, parseFields, parseQuery} from './fields.js';
import {createHealth, type Health} from './health.js';
import {parseKillRequest} from './kill-request.js';
import {bytesAnswer} from './output-bytes.js';
import {outputEvents} from './output-events.js';
import {parseOutputQuery} from './output-query.js';
import {outputJson} from './output-text.js';
import {Problem} from './problem.js';
import {assertProcessId} from './process-id.js';
import {processDetailsJson, startJson} from './process-json.js';
import {listProcesses} from './process-list.js';
import {waitUntilReady} from './ready.js';
import type {Answer, Call, Route} from './router.js';
import {closeInput, writeInput} from './stdin.js';
import {wholeNumber} from './text-schemas.js';
import {waitForProcess} from './wait.js';

/** All endpoints. */
export function createRoutes(
	supervisor: Supervisor,
	version: string,
	now: () => number = Date.now,
	health: Pick<Health, 'json'> = createHealth(supervisor, version),
): Route[] {
	const kill = (call: Call) => killProcess(supervisor, call);
	return [
		{method: 'GET', path: '/ping', isPublic: true, handle: () => ({json: {status: 'ok'}})},
		{method: 'GET', path: '/health', isPublic: true, handle: async () => ({json: await health.json()})},
		{method: 'POST', path: '/commands/background', handle: call => startCommand(supervisor, call)},
		{
			method: 'GET',
			path: '/execute/processes',
			handle: async ({query}) => ({pieces: await listProcesses(supervisor, query, now)}),
		},
		{method: 'GET', path: '/execute/processes/{process_id}', handle: call => getProcess(supervisor, call, now)},
		{
			method: 'GET',
			path: '/execute/processes/{process_id}/output',
			handle: call => readOutput(supervisor, call),
		},
		{
			method: 'GET',
			path: '/execute/processes/{process_id}/stream',
			handle: async call => ({events: await outputEvents(supervisor, readProcessId(call), call, now)}),
		},
		{
			method: 'GET',
			path: '/execute/processes/{process_id}/ready',
			handle: call => waitUntilReady(supervisor, call, now),
		},
		{
			method: 'POST',
			path: '/execute/processes/{process_id}/stdin',
			handle: call => writeInput(supervisor, call),
		},
		{
			method: 'DELETE',
			path: '/execute/processes/{process_id}/stdin',
			handle: call => closeInput(supervisor, call),
		},
		{method: 'DELETE', path: '/execute/processes/{process_id}', handle: call => forgetProcess(supervisor, call)},
		{
			method: 'GET',
			path: '/execute/processes/{process_id}/wait',
			handle: call => waitForProcess(supervisor, call, now),
		},
		{method: 'GET', path: '/events', handle: call => streamEvents(supervisor, call)},
		{method: 'DELETE', path: '/execute/kill', handle: kill},
		{method: 'POST', path: '/execute/kill/{process_id}', handle: kill},
		{method: 'POST', path: '/processes/{process_id}/kill', handle: kill},
		{
			method: 'POST',
			path: '/execute/processes/{process_id}/signal',
			handle: call => signalProcess(supervisor, call),
		},
	];
}

async function startCommand(supervisor: Supervisor, call: Call): Promise<Answer> {
	const idempotencyKey = readIdempotencyKey(call.header('idempotency-key'));
	const body = await call.readBody();
	return {json: startJson(await supervisor.startBody(body, {idempotencyKey}))};
}

function readIdempotencyKey(key: string | undefined): string | undefined {
	if (key !== undefined && !/^[\x21-\x7e]{1,255}$/.test(key)) {
		throw new Problem('INVALID_REQUEST', 'Idempotency-Key must be 1 to 255 visible ASCII characters', {
			field: 'Idempotency-Key',
		});
	}

	return key;
}

const getQuerySchema = v.object({tail_bytes: v.optional(wholeNumber(0, 1_048_576), '65536')});

async function getProcess(supervisor: Supervisor, call: Call, now: () => number): Promise<Answer> {
	const processId = readProcessId(call);
	const {tail_bytes: tailBytes} = parseQuery(getQuerySchema, call.query);
	return {json: processDetailsJson(await supervisor.get(processId, {tailBytes}), now())};
}

async function readOutput(supervisor: Supervisor, call: Call): Promise<Answer> {
	const processId = readProcessId(call);
	const {format, ...query} = parseOutputQuery(call);
	const output = supervisor.output(processId);
	if (format === 'raw') {
		return bytesAnswer(output, query, call.header('range'));
	}

	return {json: outputJson(processId, await output.read(query), query.tail !== undefined)};
}

/** @throws {Problem} 404 */
function readProcessId({parameters: {process_id: processId = ''}}: Call): string {
	assertProcessId(processId);
	return processId;
}

async function forgetProcess(supervisor: Supervisor, call: Call): Promise<Answer> {
	const processId = readProcessId(call);
	parseQuery(v.object({}), call.query);
	await supervisor.forget(processId);
	const message = `Process ${processId} was forgotten, with its output`;
	return {json: {process_id: processId, status: 'forgotten', message}};
}

async function killProcess(supervisor: Supervisor, {parameters, query, readBody}: Call): Promise<Answer> {
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

const signalSchema = v.object({signal: v.string('must be the name of a signal, for instance SIGHUP')});

async function signalProcess(supervisor: Supervisor, call: Call): Promise<Answer> {
	const processId = readProcessId(call);
	parseQuery(v.object({}), call.query);
	const {signal} = parseFields('field', signalSchema, asObject(await call.readBody()));
	// The library knows the names.
	await supervisor.signal(processId, signal as NodeJS.Signals);
	return {json: {process_id: processId, signal, message: `${signal} was sent to process ${processId}`}};
}
