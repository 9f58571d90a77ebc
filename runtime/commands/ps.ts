import {type Command, InvalidArgumentError} from 'commander';
import type {ShownProcess} from '../client/answers.js';
import type {DaemonClient, ListQuery} from '../client/daemon-client.js';
import type {EndpointFlags} from '../client/endpoint.js';
import {connect, daemonCommand, tell} from './daemon-command.js';

interface PsFlags extends EndpointFlags {
	readonly status?: string;
	readonly name?: string;
	readonly limit: number;
	readonly json?: true;
}

const pageSize = 1000;

/** `nohupd ps`. */
export function psCommand(): Command {
	return daemonCommand('ps', 'list processes, newest first')
		.option('--status <status>', 'only queued, running, completed, failed or killed ones')
		.option('--name <name>', 'only those with this name')
		.option('--limit <number>', 'at most so many', wholeNumber, 100)
		.option('--json', 'as one JSON array')
		.action(ps);
}

async function ps({status, name, limit, json, ...flags}: PsFlags): Promise<void> {
	const client = await connect(flags);
	const {processes, hasMore} = await list(client, {status, name}, limit);
	if (json) {
		const {escapedJson} = await import('../shown-text.js');
		process.stdout.write(`${escapedJson(processes.map(withoutOutput))}\n`);
		return;
	}

	const [{processTable}, {screenOf}] = await Promise.all([
		import('../terminal/process-table.js'),
		import('../terminal/screen.js'),
	]);
	process.stdout.write(processTable(processes, screenOf(process.stdout)));
	if (hasMore) {
		tell('There are more: see them with --limit');
	}
}

async function list(
	client: DaemonClient,
	query: ListQuery,
	limit: number,
): Promise<{processes: ShownProcess[]; hasMore: boolean}> {
	const processes: ShownProcess[] = [];
	let cursor: string | undefined;
	do {
		const page = await client.list({...query, cursor, limit: Math.min(pageSize, limit - processes.length)});
		processes.push(...page.processes);
		cursor = page.next_cursor;
	} while (cursor !== undefined && processes.length < limit);

	return {processes, hasMore: cursor !== undefined};
}

/** None was asked for: empty would be wrong. */
function withoutOutput({stdout: _, stderr: __, ...process}: ShownProcess): object {
	return process;
}

function wholeNumber(text: string): number {
	if (!/^[1-9]\d{0,8}$/.test(text)) {
		throw new InvalidArgumentError('It must be a whole number, 1 or more.');
	}

	return Number(text);
}
