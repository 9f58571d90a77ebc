import {readdirSync, readFileSync} from 'node:fs';

/**
 * Pids of living processes whose environment or command line has this text; zombies do not count.
 * @param isMeant - Looks closer at the whole of it.
 */
export function findProcesses(
	text: string,
	where: 'environ' | 'cmdline' = 'environ',
	isMeant: (content: string) => boolean = () => true,
): number[] {
	const isFound = (content: string) => content.includes(text) && isMeant(content);
	return (
		readdirSync('/proc')
			.map(Number)
			// Newest first: what forks and leaves all the time is gone when its turn comes last.
			.sort((a, b) => b - a)
			.filter(pid => pid > 0 && pid !== process.pid && isAlive(pid) && isFound(readProc(pid, where)))
	);
}

/** False for zombies too. */
export function isAlive(pid: number): boolean {
	const stat = readProc(pid, 'stat');
	return stat !== '' && !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
}

export function readProc(pid: number, file: string): string {
	try {
		return readFileSync(`/proc/${pid}/${file}`, 'latin1');
	} catch {
		// It has ended.
		return '';
	}
}

/** SIGKILL to one that the test started itself; no error where it has gone. */
export function killQuietly(pid: number): void {
	try {
		process.kill(pid, 'SIGKILL');
	} catch {
		// ESRCH: it has ended.
	}
}

export function parentOf(pid: number): number {
	return Number(/^PPid:\t(\d+)/m.exec(readProc(pid, 'status'))?.[1]);
}
