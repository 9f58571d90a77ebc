import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {setTimeout as pause} from 'node:timers/promises';
import {withDaemon} from '../http-runner.js';

const library = new URL('../../../lib/index.js', import.meta.url).href;

/** Resident memory of a program that does nothing: by itself, with the library, and that of the daemon. */
export async function measureIdle(contender: string, dir: string, {settleMs}: {settleMs: number}) {
	if (contender === 'daemon') {
		return withDaemon(dir, 1, (_, {pid}) => residentMemory(pid, settleMs));
	}

	// Not in this program, which has loaded all that is measured.
	const opening = `import {createSupervisor} from '${library}'; await createSupervisor({stateDir: '${dir}/state'});`;
	const script = `${contender === 'library' ? opening : ''} setInterval(() => undefined, 1e6); console.log('ready');`;
	const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	await once(child.stdout, 'data');
	const figures = await residentMemory(child.pid ?? 0, settleMs);
	child.kill('SIGKILL');
	return figures;
}

/** Some time after its beginning. */
async function residentMemory(pid: number, settleMs: number) {
	await pause(settleMs);
	return {rssMb: kilobytes(pid, 'status', 'VmRSS') / 1024};
}

/** A field of a file in /proc that is given in kB. */
export function kilobytes(pid: number, file: string, field: string): number {
	const content = readFileSync(`/proc/${pid}/${file}`, 'latin1');
	return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(content)?.[1]);
}
