import {Command, Option} from 'commander';
import type {DaemonClient} from '../client/daemon-client.js';
import type {EndpointFlags} from '../client/endpoint.js';
import type {Preference} from '../client/find-process.js';
import {CannotError} from '../failure.js';
import {optionsOf} from '../setting-options.js';
import {printable} from '../shown-text.js';

/** A command that speaks to a daemon, with the flags that say to which. */
export function daemonCommand(name: string, description: string): Command {
	const command = new Command(name).description(description);
	for (const option of optionsOf(['stateDir'])) {
		command.addOption(option);
	}

	return command
		.addOption(new Option('--url <url>', 'a daemon elsewhere; else the one of the state directory'))
		.addOption(new Option('--token <token>', 'what opens it; others can see flags: better NOHUPD_TOKEN'));
}

/** The daemon that flags and environment mean. It is not asked yet. @param limitMs - How long to wait for one that is away. */
export async function connect(flags: EndpointFlags, limitMs?: number): Promise<DaemonClient> {
	const [{DaemonClient}, {endpointFinder}, {usualPatience}] = await Promise.all([
		import('../client/daemon-client.js'),
		import('../client/endpoint.js'),
		import('../client/persistence.js'),
	]);
	return new DaemonClient(endpointFinder(flags, process.env), {
		...usualPatience,
		...(limitMs === undefined ? {} : {limitMs}),
		onAway: () => tell('The daemon is away; commands run on. Waiting for it…'),
		onBack: () => tell('The daemon is back'),
	});
}

/** The id of the process that is meant by an id, its beginning or a name. */
export async function find(client: DaemonClient, meant: string, preference: Preference = 'live'): Promise<string> {
	const {findProcess} = await import('../client/find-process.js');
	return findProcess(client, meant, preference);
}

/** What a flag says of a time, in seconds. Rejects with `CannotError`. */
export async function secondsOf(flag: string, text: string): Promise<number> {
	const [{duration}, {safeParse}] = await Promise.all([import('../duration.js'), import('valibot')]);
	const parsed = safeParse(duration, text);
	if (!parsed.success) {
		throw new CannotError(`${flag} ${parsed.issues[0].message}; got ${JSON.stringify(printable(text))}`);
	}

	return parsed.output;
}

/** A word to people; programs have the exit code. */
export function tell(sentence: string): void {
	if (process.stderr.isTTY) {
		process.stderr.write(`${sentence}\n`);
	}
}

/** Ctrl-C ends us and nothing else: that is said, also where nobody seems to look, and then done. */
export function explainInterrupt(processId: string): void {
	process.once('SIGINT', () => {
		const lineBreak = process.stderr.isTTY ? '\n' : '';
		process.stderr.write(`${lineBreak}${processId} runs on: see it with "nohupd logs -f", end it with "nohupd kill"\n`);
		// Nobody listens any more: this time it ends us, as whoever started us expects.
		process.kill(process.pid, 'SIGINT');
	});
}
