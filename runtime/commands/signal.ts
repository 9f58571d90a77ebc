import type {Command} from 'commander';
import type {EndpointFlags} from '../client/endpoint.js';
import {escaped} from '../shown-text.js';
import {connect, daemonCommand, find} from './daemon-command.js';

/** `nohupd signal`. */
export function signalCommand(): Command {
	return daemonCommand('signal', 'send a signal to the process group of a process, as a terminal does')
		.argument('<process>', 'its id, the beginning of it, or its name')
		.argument('<signal>', 'HUP or SIGHUP, for instance')
		.action(async (meant: string, signal: string, flags: EndpointFlags) => {
			const client = await connect(flags);
			const processId = await find(client, meant);
			const name = signal.toUpperCase().replace(/^(?!SIG)/, 'SIG');
			process.stdout.write(`${escaped(await client.signal(processId, name))}\n`);
		});
}
