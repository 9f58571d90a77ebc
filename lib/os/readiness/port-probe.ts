import {readdirSync, readFileSync, readlinkSync} from 'node:fs';
import {connect} from 'node:net';
import type {RunningProcess} from '../../process.js';
import {listMembers} from '../cgroup.js';
import {isCredible} from '../credibility.js';
import {ProcessTree} from '../process-tree.js';

/** What one look has found. A stranger is somebody outside the tree of the process. */
export type Answer = 'yes' | 'no' | 'stranger';

const connectMs = 1000;
const loopbacks = ['127.0.0.1', '::1'];

/**
 * Whether the tree of a process accepts connections on a port. Connecting is cheap, and says whether anybody does;
 * only then is it worth to look who. Where that cannot be seen (another user's process in the tree), it is taken for ours.
 */
export async function askPort(port: number, process: RunningProcess, stateDir: string): Promise<Answer> {
	const answers = await Promise.all(loopbacks.map(host => accepts(host, port)));
	if (!answers.includes(true)) {
		return 'no';
	}

	const sockets = listListening(port);
	return sockets === null || holdsAny(listTree(process, stateDir), sockets) ? 'yes' : 'stranger';
}

function accepts(host: string, port: number): Promise<boolean> {
	return new Promise(resolve => {
		const socket = connect({host, port, timeout: connectMs});
		const answer = (isAccepted: boolean) => {
			socket.destroy();
			resolve(isAccepted);
		};
		// Who connects to a port that is free can be given that very port, and then meets itself.
		socket.once('connect', () => answer(socket.localPort !== port));
		socket.once('timeout', () => answer(false));
		socket.on('error', () => answer(false));
	});
}

/** Inodes of the sockets that listen on a port (proc_pid_net(5)), `null` where the kernel does not tell. */
export function listListening(port: number): ReadonlySet<string> | null {
	const tables = ['/proc/net/tcp', '/proc/net/tcp6'].map(readOrNull).filter(table => table !== null);
	if (tables.length === 0) {
		return null;
	}

	const ending = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
	const inodes = new Set<string>();
	for (const line of tables.flatMap(table => table.split('\n'))) {
		// slot local remote STATE queues timer retransmits uid timeout INODE; 0A is TCP_LISTEN.
		const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
		if (state === '0A' && inode !== undefined && local?.endsWith(ending)) {
			inodes.add(inode);
		}
	}

	return inodes;
}

function listTree({processId, state, cgroup}: RunningProcess, stateDir: string): ReadonlySet<number> {
	const inCgroup = cgroup === null ? [] : listMembers(cgroup);
	if (inCgroup.length > 0) {
		return new Set(inCgroup);
	}

	const tree = new ProcessTree(processId, state.start, isCredible(processId, state.start, stateDir));
	return new Set(tree.look().map(({pid}) => pid));
}

function holdsAny(pids: Iterable<number>, sockets: ReadonlySet<string>): boolean {
	const links = new Set([...sockets].map(inode => `socket:[${inode}]`));
	for (const pid of pids) {
		const descriptors = listDescriptors(pid);
		if (descriptors === 'hidden' || descriptors.some(descriptor => links.has(descriptor))) {
			return true;
		}
	}

	return false;
}

/** What the descriptors of a process are, `hidden` where it is another user's. */
function listDescriptors(pid: number): readonly string[] | 'hidden' {
	const directory = `/proc/${pid}/fd`;
	try {
		return readdirSync(directory).map(name => {
			try {
				return readlinkSync(`${directory}/${name}`);
			} catch {
				// Closed in the meantime.
				return '';
			}
		});
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'hidden' : [];
	}
}

function readOrNull(path: string): string | null {
	try {
		return readFileSync(path, 'latin1');
	} catch {
		// No IPv6, or no such file at all.
		return null;
	}
}
