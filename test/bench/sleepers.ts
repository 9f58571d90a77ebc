import type {Supervisor} from '../../lib/index.js';
import {eventually} from '../helpers/eventually.js';
import {killQuietly} from '../helpers/processes.js';

/** Commands that run for as long as something is measured beside them. */
export async function startSleepers(supervisor: Supervisor, count: number): Promise<void> {
	for (let i = 0; i < count; i++) {
		await supervisor.start({command: 'exec sleep 1000', timeoutMs: 0});
	}
}

/** Each has no children, so one signal is enough; a thousand proofs at once would take their time. */
export async function endSleepers(supervisor: Supervisor): Promise<void> {
	const {processes} = await supervisor.list({status: 'running', tailBytes: 0});
	for (const {pid} of processes) {
		killQuietly(Number(pid));
	}

	await eventually(() => supervisor.state().running === 0);
}
