import type {Command} from 'commander';
import type {EndpointFlags} from '../client/endpoint.js';
import {connect, daemonCommand, explainInterrupt, find} from './daemon-command.js';
import {endLike, endsLikeItsProcess} from './ending.js';

/** `nohupd wait`. */
export function waitCommand(): Command {
	const command = daemonCommand('wait', 'stay until a process has ended, and end with its exit code').argument(
		'<process>',
		'its id, the beginning of it, or its name',
	);
	return endsLikeItsProcess(command).action(async (meant: string, flags: EndpointFlags) => {
		const client = await connect(flags);
		const processId = await find(client, meant);
		explainInterrupt(processId);
		endLike(await client.wait(processId));
	});
}
