import {execFile} from 'node:child_process';
import {existsSync} from 'node:fs';
import {promisify} from 'node:util';
import {bootSystemd, boxNode, boxPackage, enterBox, whyNoSystemd} from '../../helpers/booted-systemd.js';
import {eventually} from '../../helpers/eventually.js';
import {openScratchCgroup} from '../../helpers/scratch-cgroup.js';
import type {Runner} from '../runner.js';
import {cpuUnknown, toldNothing, untilNothingRuns} from './daemon.js';
import {firstLineOf} from './install.js';
import type {Installed} from './peers.js';

const run = promisify(execFile);

/** That of this machine; else one is booted in namespaces of its own, and the workers run in there, as its users do. */
export async function bootForSystemdRun(dir: string): Promise<Installed> {
	const version = firstLineOf('systemd-run', ['--version']);
	if (existsSync('/run/systemd/system')) {
		return {version};
	}

	if (whyNoSystemd !== null) {
		throw new Error(`no systemd runs on this machine, and none can be booted: ${whyNoSystemd}`);
	}

	const cgroup = openScratchCgroup();
	const systemd = await bootSystemd(dir, cgroup.path);
	const inside = (...words: string[]) => enterBox(systemd.pid, words);
	const close = async () => {
		await systemd.end();
		await cgroup.close();
	};
	try {
		await eventually(() => run(...inside('systemctl', 'is-active', 'box.target'), {cwd: '/'}).catch(() => null));
	} catch (error) {
		await close();
		throw error;
	}

	const place = {node: inside(boxNode).flat(), worker: `${boxPackage}/dist/test/bench/worker.js`};
	return {version, place, close};
}

/** Each command is a unit, which is forgotten when it has ended. */
export function openSystemdRun(): Runner {
	const scope = process.getuid?.() === 0 ? '--system' : '--user';
	return {
		async start(line) {
			await run('systemd-run', [scope, '--quiet', '--collect', 'bash', '-c', line]);
			return toldNothing;
		},
		settled: () =>
			untilNothingRuns(
				async () => (await run('systemctl', [scope, 'list-units', '--all', '--plain', '--no-legend', 'run-*'])).stdout,
				list => list.trim() === '',
			),
		cpuMs: cpuUnknown,
		close: async () => undefined,
	};
}
