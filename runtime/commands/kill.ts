import {type Command, InvalidArgumentError} from 'commander';
import type {EndpointFlags} from '../client/endpoint.js';
import {escaped} from '../shown-text.js';
import {connect, daemonCommand, find} from './daemon-command.js';

interface KillFlags extends EndpointFlags {
	readonly gracePeriod?: number;
}

/** `nohupd kill`. */
export function killCommand(): Command {
	return daemonCommand('kill', 'end processes with all their descendants, and see that none is alive')
		.argument('<process...>', 'ids, beginnings of ids, or names')
		.option('--grace-period <seconds>', 'time between SIGTERM and SIGKILL; 0 is SIGKILL at once', seconds)
		.action(kill);
}

async function kill(meant: readonly string[], {gracePeriod, ...flags}: KillFlags): Promise<void> {
	const client = await connect(flags);
	// All are looked up first: a name that is wrong ends nothing.
	const processIds = await Promise.all(meant.map(each => find(client, each)));
	for (const processId of processIds) {
		process.stdout.write(`${escaped(await client.kill(processId, gracePeriod))}\n`);
	}
}

function seconds(text: string): number {
	if (!/^\d{1,9}(\.\d{1,9})?$/.test(text)) {
		throw new InvalidArgumentError('It must be a number of seconds.');
	}

	return Number(text);
}
