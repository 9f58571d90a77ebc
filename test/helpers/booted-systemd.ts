import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {eventually} from './eventually.js';
import {readProc} from './processes.js';
import {whyNoCgroup} from './scratch-cgroup.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const script = `${root}test/helpers/systemd-box.sh`;

/**
 * The system that is booted: this machine's own, or another one in a directory, with a systemd that is newer:
 *   debootstrap --variant=minbase --include=systemd,libpam-systemd,dbus,iproute2,perl,procps,libstdc++6 trixie DIRECTORY
 */
const system = process.env['NOHUPD_TEST_SYSTEMD_ROOT'] ?? '/';

/** How node and this package are called inside. */
export const boxNode = '/usr/local/bin/node';
export const boxPackage = '/opt/nohupd';

/** Namespaces of its own for everything that it could change. */
const unshare = ['--pid', '--mount', '--uts', '--ipc', '--net', '--cgroup', '--fork', '--propagation', 'private'];

/** Why no systemd can be booted here; `null` where one can. */
export const whyNoSystemd = findObstacle();

/** A real systemd, with everything that runs under it in namespaces of its own. */
export interface BootedSystemd {
	/** Seen from here; inside it is 1. */
	readonly pid: number;
	/** What it and its script have printed. */
	readonly console: readonly string[];
	/** Settles when it is gone, and all that ran under it. */
	end(): Promise<void>;
}

/**
 * Settles when its process is there; it has not started its services yet.
 * @param place - An empty directory.
 * @param cgroup - Where it lives.
 */
export async function bootSystemd(place: string, cgroup: string): Promise<BootedSystemd> {
	const enter = 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"';
	// Nothing of it outlives this process, however that ends.
	const wrapped = ['setpriv', '--pdeathsig', 'KILL', 'unshare', ...unshare, '--kill-child=KILL'];
	const words = ['-c', enter, 'bash', cgroup, ...wrapped, 'bash', script, place, root, process.execPath, system];
	const child = spawn('bash', words, {stdio: ['ignore', 'pipe', 'pipe']});
	const console: string[] = [];
	for (const stream of [child.stdout, child.stderr]) {
		createInterface({input: stream}).on('line', line => console.push(line));
	}

	const pid = await eventually(() => Number(readProc(child.pid ?? 0, `task/${child.pid}/children`).split(' ')[0]));
	const end = async () => {
		child.kill('SIGKILL');
		await once(child, 'close');
	};
	return {pid, console, end};
}

/** A program and its arguments that run these words inside. */
export function enterBox(pid: number, words: readonly string[]): [file: string, args: string[]] {
	return ['nsenter', ['-t', String(pid), '-a', ...words]];
}

function findObstacle(): string | null {
	if (process.getuid?.() !== 0) {
		return 'needs root';
	}

	if (!existsSync(join(system, 'lib/systemd/systemd'))) {
		return `systemd is not installed in ${system}`;
	}

	if (whyNoCgroup !== null) {
		return whyNoCgroup;
	}

	const look =
		'mount -t proc proc /proc && command -v setpriv nsenter && chroot "$1" which ip dbus-daemon useradd perl';
	const words = [...unshare, 'bash', '-c', look, 'bash', system];
	return spawnSync('unshare', words, {stdio: 'ignore'}).status === 0 ? null : 'namespaces or programs are missing';
}
