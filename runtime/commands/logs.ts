import {pipeline} from 'node:stream/promises';
import type {Command} from 'commander';
import type {DaemonClient} from '../client/daemon-client.js';
import type {EndpointFlags} from '../client/endpoint.js';
import {connect, daemonCommand, explainInterrupt, find} from './daemon-command.js';

interface LogsFlags extends EndpointFlags {
	readonly follow?: true;
	readonly stderr?: true;
}

/** `nohupd logs`. */
export function logsCommand(): Command {
	return daemonCommand('logs', 'show what a process has written, byte by byte as it is')
		.argument('<process>', 'its id, the beginning of it, or its name')
		.option('-f, --follow', 'go on until it ends; Ctrl-C leaves it running')
		.option('--stderr', 'its standard error in place of its standard output')
		.action(logs);
}

async function logs(meant: string, {follow, stderr, ...flags}: LogsFlags): Promise<void> {
	const client = await connect(flags);
	const processId = await find(client, meant, 'newest');
	const stream = stderr ? 'stderr' : 'stdout';
	if (follow) {
		const {followOutput} = await import('./follow-output.js');
		explainInterrupt(processId);
		await followOutput(client, processId, {[stream]: process.stdout});
	} else {
		await show(client, processId, stream);
	}
}

async function show(client: DaemonClient, processId: string, stream: string): Promise<void> {
	const answer = await client.output(processId, stream);
	const [, from, to] = /^(\d+)-(\d+)$/.exec(String(answer.headers['x-output-gap'])) ?? [];
	if (from !== undefined) {
		const {tellOfGap} = await import('./follow-output.js');
		tellOfGap({from: Number(from), to: Number(to)});
	}

	try {
		await pipeline(answer, process.stdout, {end: false});
	} catch (error) {
		const {away} = await import('../client/http.js');
		throw away(error);
	}
}
