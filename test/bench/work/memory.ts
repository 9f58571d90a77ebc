import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {createSupervisor} from '../../../lib/index.js';
import {findProcesses} from '../../helpers/processes.js';
import {BenchDaemon} from '../http-runner.js';
import {endSleepers, startSleepers} from '../sleepers.js';

const library = new URL('../../../lib/index.js', import.meta.url).href;

/** Resident memory of a program that does nothing: by itself, with the library, and that of the daemon. */
export async function measureIdle(contender: string, dir: string, {settleMs}: {settleMs: number}) {
	if (contender === 'daemon') {
		const daemon = await BenchDaemon.open(dir);
		const figures = {rssMb: await rssMb(daemon.pid, settleMs)};
		await daemon.close();
		return figures;
	}

	// Not in this program, which has loaded all that is measured.
	const opening = `import {createSupervisor} from '${library}'; await createSupervisor({stateDir: '${dir}/state'});`;
	const script = `${contender === 'library' ? opening : ''} setInterval(() => undefined, 1e6); console.log('ready');`;
	const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	await once(child.stdout, 'data');
	const figures = {rssMb: await rssMb(child.pid ?? 0, settleMs)};
	child.kill('SIGKILL');
	return figures;
}

/** Some time after its beginning. */
async function rssMb(pid: number, settleMs: number): Promise<number> {
	await new Promise(resolve => setTimeout(resolve, settleMs));
	return kilobytes(pid, 'status', 'VmRSS') / 1024;
}

/** What keeper and shims take for each running command, the command itself not counted. */
export async function measureBeside(dir: string, {count}: {count: number}) {
	const stateDir = join(dir, 'state');
	const supervisor = await createSupervisor({stateDir});
	await startSleepers(supervisor, count);
	const helpers = findProcesses(stateDir, 'cmdline').filter(pid => pid !== process.pid);
	const pssKb = helpers.reduce((sum, pid) => sum + kilobytes(pid, 'smaps_rollup', 'Pss'), 0);
	await endSleepers(supervisor);
	await supervisor.close();
	return {pssKb: pssKb / count, helpers: helpers.length};
}

function kilobytes(pid: number, file: string, field: string): number {
	const content = readFileSync(`/proc/${pid}/${file}`, 'latin1');
	return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(content)?.[1]);
}
