import {type Line, line, type Scenario} from './scenario.js';
import type {Sizes} from './sizes.js';
import {above, atLeast, atMost, compare, own, times} from './target.js';

const daemons = ['task-spooler', 'systemd-run', 'pm2', 'supervisord'] as const;
const embedded = ['library', 'spawn', 'execa', 'posix_spawn'];

/** In the order of their weight. */
export function listScenarios(sizes: Sizes): Scenario[] {
	return [
		kill(sizes),
		...sizes.heapsMb.map((heapMb, i) => start(sizes, heapMb, i === 0)),
		throughput(sizes),
		oneAtATime(sizes),
		ends(sizes),
		ready(sizes),
		...output(sizes),
		...memory(sizes),
		store(sizes),
		requests(sizes),
	];
}

function kill({tree}: Sizes): Scenario {
	return {
		name: 'kill',
		work: 'kill',
		options: {size: tree},
		contenders: ['library', 'session', 'tree-kill'],
		lines: [
			line(`kill of a tree of ${tree}, until all are gone`, 'killMs', 'ms', {
				target: atMost(0.1, times('session', 'tree-kill')),
			}),
			line('the longest delay of the event loop meanwhile', 'lateMs', 'ms', {
				target: atMost(30, own('session', 'ms')),
			}),
		],
	};
}

/** Other daemons come in once: the heap of their client is nothing to them. */
function start({starts, peerCommands}: Sizes, heapMb: number, withDaemons: boolean): Scenario {
	const heap = `${heapMb} MB of heap`;
	const besideDaemons = line('start until it runs, one at a time, beside other daemons', 'runningMs', 'ms', {
		of: ['library', 'http', ...daemons],
		target: atMost(0.1, times('library', 'systemd-run')),
	});
	return {
		name: `start-${heapMb}`,
		work: 'start',
		options: {count: starts, heapMb},
		contenders: ['library', 'http', 'spawn', 'execa', 'posix_spawn'],
		...(withDaemons && {slow: {contenders: daemons, options: {count: peerCommands, heapMb}}}),
		nodeFlags: ['--max-old-space-size=4096'],
		lines: [
			line(`start, event loop blocked by the call, ${heap}`, 'blockedMs', 'ms', {
				of: embedded,
				target: atMost(heapMb < 1000 ? 0.4 : 0.03, times('library', 'spawn')),
			}),
			line(`start until it runs and is stored, one at a time, ${heap}`, 'runningMs', 'ms', {
				of: embedded,
				target: atMost(3, times('library', 'spawn')),
			}),
			line(`start over HTTP, one client, ${heap} in the client`, 'runningMs', 'ms', {
				of: ['http', 'library'],
				target: atMost(1.5, above('http', 'library', 'ms')),
			}),
			...(withDaemons ? [besideDaemons] : []),
		],
	};
}

function throughput({commands, peerCommands}: Sizes): Scenario {
	return {
		name: 'throughput',
		work: 'throughput',
		options: {count: commands, inFlight: 8},
		contenders: ['library', 'http', 'spawn', 'execa', 'posix_spawn'],
		slow: {contenders: daemons, options: {count: peerCommands, inFlight: 8}},
		lines: [
			line('commands fully run a second, 8 in flight, in-process', 'perSecond', '/s', {
				of: embedded,
				target: atLeast(0.85, times('library', 'spawn')),
			}),
			line('the same over HTTP with JWT, beside other daemons', 'perSecond', '/s', {
				of: ['http', 'spawn', ...daemons],
				target: atLeast(0.6, times('http', 'spawn')),
			}),
			kernelLimit('8 in flight'),
			line('speed of the last thousand (or quarter) to that of the first', 'lastToFirst', '×', {
				target: atLeast(0.9, own('library', '×')),
			}),
			line('processor time of the program that runs them, for a command', 'cpuMs', 'ms', {
				target: atMost(0.35, times('library', 'spawn')),
			}),
		],
	};
}

/** What fork and exec allow, and how much of it is left to us. */
function kernelLimit(inFlight: string): Line {
	return line(`the kernel’s limit, ${inFlight}, and how much of it we reach`, 'perSecond', '/s', {
		of: ['library', 'posix_spawn'],
		target: compare(times('library', 'posix_spawn')),
	});
}

function oneAtATime({starts}: Sizes): Scenario {
	return {
		name: 'one-at-a-time',
		work: 'throughput',
		options: {count: starts, inFlight: 1},
		contenders: ['library', 'spawn', 'posix_spawn'],
		lines: [
			line('commands fully run a second, one at a time', 'perSecond', '/s', {
				of: ['library', 'spawn'],
				target: compare(times('library', 'spawn')),
			}),
			kernelLimit('one at a time'),
		],
	};
}

function ends({starts}: Sizes): Scenario {
	return {
		name: 'ends',
		work: 'ends',
		options: {count: starts},
		contenders: ['library', 'events', 'spawn'],
		lines: [
			line('from the end of a command to its event, in-process', 'toldMs', 'ms', {
				of: ['library', 'spawn'],
				target: atMost(5, own('library', 'ms')),
			}),
			line('the same over HTTP', 'toldMs', 'ms', {of: ['events'], target: atMost(8, own('events', 'ms'))}),
		],
	};
}

function ready({servers}: Sizes): Scenario {
	return {
		name: 'ready',
		work: 'ready',
		options: {count: servers},
		contenders: ['library', 'http'],
		lines: [
			line('from the opening of a port to `ready`', 'readyMs', 'ms', {target: atMost(50, own('library', 'ms'))}),
			line('the longest of these', 'longestMs', 'ms', {target: atMost(50, own('library', 'ms'))}),
		],
	};
}

function output({outputBytes, followedBytes}: Sizes): Scenario[] {
	return [
		{
			name: 'output',
			work: 'output',
			options: {bytes: outputBytes},
			contenders: ['library', 'spawn'],
			lines: [
				line(`${outputBytes / 1e6} MB of output`, 'seconds', 's', {target: atMost(1.03, times('library', 'spawn'))}),
				line('processor the agent needs meanwhile', 'cpuPercent', '%', {target: atMost(1, own('library', '%'))}),
			],
		},
		{
			name: 'followers',
			work: 'followers',
			options: {bytes: followedBytes},
			contenders: ['library', 'http', 'raw'],
			lines: [
				followers(`ten followers of ${followedBytes / 1e6} MB while it is written, together`, 'library'),
				followers('the same over HTTP, as server-sent events', 'http'),
				followers('ten who read it over HTTP as exact bytes', 'raw'),
			],
		},
	];
}

function followers(title: string, who: string): Line {
	return line(title, 'megabytesPerSecond', 'MB/s', {of: [who], target: atLeast(300, own(who, 'MB/s'))});
}

function memory({settleMs, beside}: Sizes): Scenario[] {
	return [
		{
			name: 'idle',
			work: 'idle',
			options: {settleMs},
			contenders: ['daemon', 'library', 'bare'],
			lines: [
				line('resident memory of the idle daemon', 'rssMb', 'MB', {
					of: ['daemon'],
					target: atMost(70, own('daemon', 'MB')),
				}),
				line('resident memory of a program with the library, and without', 'rssMb', 'MB', {
					of: ['library', 'bare'],
					target: atMost(12, above('library', 'bare', 'MB')),
				}),
			],
		},
		{
			name: 'beside',
			work: 'loaded',
			options: {running: beside, count: 1},
			contenders: ['library'],
			lines: [
				line(`memory (PSS) of keeper and shims for each of ${beside} running commands`, 'pssKb', 'kB', {
					target: atMost(250, own('library', 'kB')),
				}),
			],
		},
	];
}

function store({running, ended}: Sizes): Scenario {
	const page = `page of 100 from ${ended} stored, ${running} running, without output, over HTTP`;
	return {
		name: 'store',
		work: 'store',
		options: {running, ended},
		contenders: ['empty', 'full'],
		lines: [
			line(page, 'pageMs', 'ms', {of: ['full'], target: atMost(5, own('full', 'ms'))}),
			line('start of a daemon until it answers, with nothing and with these', 'answersMs', 'ms', {
				target: atMost(500, above('full', 'empty', 'ms')),
			}),
		],
	};
}

function requests({requestMs}: Sizes): Scenario {
	return {
		name: 'requests',
		work: 'requests',
		options: {forMs: requestMs},
		contenders: ['daemon', 'bare'],
		lines: [
			line('requests a second, list of 20, 32 connections; `bare` answers the same bytes', 'perSecond', '/s', {
				target: atLeast(0.5, times('daemon', 'bare')),
			}),
		],
	};
}
