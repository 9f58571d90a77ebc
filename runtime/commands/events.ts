import type {Command} from 'commander';
import type {EndpointFlags} from '../client/endpoint.js';
import {connect, daemonCommand} from './daemon-command.js';

interface EventsFlags extends EndpointFlags {
	readonly after?: string;
	readonly json?: true;
}

/** `nohupd events`. */
export function eventsCommand(): Command {
	return daemonCommand('events', 'show what happens to processes, as it happens')
		.option('--after <number>', 'also what has happened since the event with this number; 0: all that is kept')
		.option('--json', 'one JSON object a line')
		.action(events);
}

async function events({after, json, ...flags}: EventsFlags): Promise<void> {
	const client = await connect(flags);
	const show = json ? await asJson() : await asLine();
	for await (const {type, data} of client.events({after})) {
		process.stdout.write(`${show(type, data)}\n`);
	}
}

async function asJson(): Promise<(type: string, data: string) => string> {
	const {escapedJson} = await import('../shown-text.js');
	return (type, data) => escapedJson({type, ...(JSON.parse(data) as object)});
}

async function asLine(): Promise<(type: string, data: string) => string> {
	const [{eventLine}, {screenOf}] = await Promise.all([
		import('../terminal/event-line.js'),
		import('../terminal/screen.js'),
	]);
	const screen = screenOf(process.stdout);
	return (type, data) => eventLine(type, data, screen);
}
