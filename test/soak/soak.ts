import {join} from 'node:path';
import {TorturedDaemon} from '../torture/daemon.js';
import {type Sample, takeSample} from './sample.js';

const inFlight = 8;

export interface SoakOptions {
	/** Empty, and nobody else's. */
	readonly directory: string;
	readonly commands: number;
	/** How many ended processes the daemon remembers; default: its own. */
	readonly maxEnded?: number;
}

/** Runs so many quick commands, each with some output, and samples what may grow ten times on the way. */
export async function soak(
	{directory, commands, maxEnded}: SoakOptions,
	onSample: (sample: Sample) => void,
): Promise<void> {
	const stateDir = join(directory, 'state');
	const daemon = await TorturedDaemon.create(stateDir, {maxRunning: inFlight, maxEnded});
	const startedAt = performance.now();
	const sampleAt = Math.max(1, Math.floor(commands / 10));
	let begun = 0;
	let done = 0;
	const work = async () => {
		while (begun < commands) {
			begun++;
			await runOne(daemon);
			done++;
			if (done % sampleAt === 0) {
				onSample(takeSample(done, (performance.now() - startedAt) / 1000, stateDir, daemon.pid));
			}
		}
	};
	try {
		onSample(takeSample(0, 0, stateDir, daemon.pid));
		await Promise.all(Array.from({length: inFlight}, work));
	} finally {
		await daemon.close();
	}
}

async function runOne(daemon: TorturedDaemon): Promise<void> {
	const {status, json} = await daemon.ask('POST', '/commands/background', {command: 'echo out; echo err >&2; exit 3'});
	if (status !== 200) {
		throw new Error(`A start was answered ${status} ${JSON.stringify(json)}`);
	}

	for (;;) {
		const {json: process} = await daemon.ask('GET', `/execute/processes/${json['process_id']}/wait?timeout=60`);
		if (process['status'] === 'failed' && process['exit_code'] === 3) {
			return;
		}

		if (process['status'] !== 'running' && process['status'] !== 'queued') {
			throw new Error(`A command ended as it should not: ${JSON.stringify(process)}`);
		}
	}
}
