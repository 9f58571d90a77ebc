import {type Process, type ProcessWithOutput, ShuttingDownError, WaitAbortedError} from '../lib/index.js';
import {codeAsCommand} from './code.js';
import {asObject, refuseQuery} from './fields.js';
import {Problem} from './problem.js';
import {resultJson, startJson} from './process-json.js';
import type {Answer, Call, Route} from './router.js';
import {inWorkspace} from './workspace.js';

/** As much of each stream as the library shows at once. */
const maxOutputBytes = 1_048_576;

/** Endpoints that start commands. @param workspace - Stands in for the official directory where that is missing. */
export function commandRoutes(workspace: string | undefined): Route[] {
	const start = async (call: Call, toCommand: (body: unknown) => object = asObject) => {
		refuseQuery(call.query);
		const idempotencyKey = readIdempotencyKey(call.header('idempotency-key'));
		const body = inWorkspace(toCommand(await call.readBody()), workspace);
		return call.supervisor.startBody(body, {idempotencyKey});
	};
	const startJsonOf = async (started: Promise<Process>): Promise<Answer> => ({json: startJson(await started)});
	return [
		{
			method: 'POST',
			path: '/commands/background',
			scope: 'start',
			takesBody: true,
			handle: call => startJsonOf(start(call)),
		},
		{
			method: 'POST',
			path: '/execute/background',
			scope: 'start',
			takesBody: true,
			handle: call => startJsonOf(start(call, codeAsCommand)),
		},
		{
			method: 'POST',
			path: '/commands/run',
			scope: 'start',
			takesBody: true,
			handle: async call => finish(await start(call), call),
		},
	];
}

/**
 * Waits for the end. The command has started, and clients repeat what is answered with a 5xx: whoever cannot wait any
 * longer is told what is known by then. It runs on, and a list finds it.
 */
async function finish(started: Process, {supervisor, gone}: Call): Promise<Answer> {
	try {
		await supervisor.wait(started.processId, {signal: gone});
	} catch (error) {
		assertClosing(error);
	}

	return {json: resultJson(await withOutput(started, supervisor), maxOutputBytes, Date.now())};
}

async function withOutput(started: Process, supervisor: Call['supervisor']): Promise<ProcessWithOutput> {
	try {
		return await supervisor.get(started.processId, {tailBytes: maxOutputBytes});
	} catch (error) {
		assertClosing(error);
		return {...started, stdout: '', stderr: '', stdoutBytes: 0, stderrBytes: 0, stdoutDropped: 0, stderrDropped: 0};
	}
}

function assertClosing(error: unknown): void {
	if (!(error instanceof WaitAbortedError || error instanceof ShuttingDownError)) {
		throw error;
	}
}

function readIdempotencyKey(key: string | undefined): string | undefined {
	if (key !== undefined && !/^[\x21-\x7e]{1,255}$/.test(key)) {
		throw new Problem('INVALID_REQUEST', 'Idempotency-Key must be 1 to 255 visible ASCII characters', {
			field: 'Idempotency-Key',
		});
	}

	return key;
}
