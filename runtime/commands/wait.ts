import type {Command} from 'commander';
import {isLive} from '../client/answers.js';
import type {EndpointFlags} from '../client/endpoint.js';
import {CannotError} from '../failure.js';
import {connect, daemonCommand, explainInterrupt, find, secondsOf} from './daemon-command.js';
import {endLike, endsLikeItsProcess} from './ending.js';

interface WaitFlags extends EndpointFlags {
	readonly timeout?: string;
}

/** `nohupd wait`. */
export function waitCommand(): Command {
	const command = daemonCommand('wait', 'stay until a process has ended, and end with its exit code')
		.argument('<process>', 'its id, the beginning of it, or its name')
		.option('--timeout <time>', 'how long to stay: seconds, or 90m, 12h, 30d; it runs on afterwards');
	return endsLikeItsProcess(command).action(wait);
}

async function wait(meant: string, {timeout, ...flags}: WaitFlags): Promise<void> {
	const seconds = timeout === undefined ? undefined : await secondsOf('--timeout', timeout);
	const client = await connect(flags);
	const processId = await find(client, meant, 'newest');
	explainInterrupt(processId);
	const process = await client.wait(processId, seconds);
	if (isLive(process.status)) {
		throw new CannotError(`${processId} has not ended within ${seconds} s; it runs on`);
	}

	endLike(process);
}
