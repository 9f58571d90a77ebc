import type {Command} from 'commander';
import type {EndpointFlags} from '../client/endpoint.js';
import {connect, daemonCommand, find} from './daemon-command.js';

/** `nohupd forget`. */
export function forgetCommand(): Command {
	return daemonCommand('forget', 'remove ended processes and all that they wrote')
		.argument('<process...>', 'ids, beginnings of ids, or names')
		.action(async (meant: readonly string[], flags: EndpointFlags) => {
			const client = await connect(flags);
			// All are looked up first: a name that is wrong removes nothing.
			const processIds = await Promise.all(meant.map(each => find(client, each, 'none')));
			for (const processId of processIds) {
				await client.forget(processId);
				process.stdout.write(`${processId} is forgotten\n`);
			}
		});
}
