import {eventually} from '../helpers/eventually.js';
import {findProcesses, killQuietly, readProc} from '../helpers/processes.js';

/**
 * Pids of all that runs in the name of a tortured daemon, by process: what it starts itself, such as ps, by its own
 * number.
 * @param mark - In the environment of all of these, and of nobody else.
 */
export function findCarriers(mark: string, daemonPid: number): Map<string, number[]> {
	const carriers = new Map<string, number[]>();
	for (const pid of findProcesses(mark).filter(pid => pid !== daemonPid)) {
		const [, processId = `pid_${pid}`] = /\0NOHUPD_PROCESS_ID=(\w+)\0/.exec(`\0${readProc(pid, 'environ')}`) ?? [];
		carriers.set(processId, [...(carriers.get(processId) ?? []), pid]);
	}

	return carriers;
}

/** Settles when none of them is alive any more. */
export async function endCarriers(mark: string, daemonPid: number): Promise<void> {
	await eventually(() => {
		const pids = [...findCarriers(mark, daemonPid).values()].flat();
		pids.forEach(killQuietly);
		return pids.length === 0;
	});
}
