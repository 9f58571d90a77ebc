import {type Growth, line} from './scenario.js';
import type {Sizes} from './sizes.js';
import type {StoreOptions} from './work/store.js';

/** What happens to a measure when there is ever more. */
export function listGrowths({growth, cheapGrowth, loadedStarts}: Sizes): Growth[] {
	return [
		{
			name: 'running',
			over: 'running commands',
			sizes: growth,
			at: running => ({
				work: 'loaded',
				options: {running, count: loadedStarts},
				contenders: ['library', 'events', 'spawn'],
			}),
			lines: [
				line('start until it runs and is stored', 'runningMs', 'ms'),
				line('from the end of a command to its event', 'toldMs', 'ms'),
				line('memory (PSS) of keeper and shims for each', 'pssKb', 'kB', {of: ['library']}),
			],
		},
		restart('running', 'running commands', growth, running => ({running, ended: 0})),
		restart('ended', 'ended processes', cheapGrowth, ended => ({running: 0, ended})),
		{
			name: 'kill',
			over: 'processes of a tree',
			sizes: growth,
			at: size => ({
				work: 'kill',
				options: {size},
				// One `ps` for each process, all at once: with ten thousand the machine has had enough.
				contenders: ['library', 'session', ...(size <= 1000 ? ['tree-kill'] : [])],
			}),
			lines: [
				line('kill of a tree until all are gone', 'killMs', 'ms'),
				line('the longest delay of the event loop meanwhile', 'lateMs', 'ms'),
			],
		},
		{
			name: 'throughput',
			over: 'commands in all',
			sizes: cheapGrowth,
			at: count => ({
				work: 'throughput',
				options: {count, inFlight: 8},
				contenders: ['library', 'http', 'spawn', 'posix_spawn'],
			}),
			lines: [line('commands fully run a second, 8 in flight', 'perSecond', '/s')],
		},
	];
}

/** What a daemon finds in its state directory. */
function restart(
	what: string,
	over: string,
	sizes: readonly number[],
	options: (size: number) => StoreOptions,
): Growth {
	return {
		name: `restart-${what}`,
		over,
		sizes,
		at: size => ({work: 'store', options: options(size), contenders: ['daemon']}),
		lines: [
			line('start of a daemon until it answers', 'answersMs', 'ms'),
			line('page of at most 100, without output, over HTTP', 'pageMs', 'ms'),
		],
	};
}
