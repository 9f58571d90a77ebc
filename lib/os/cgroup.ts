/** Control groups, version 2 (cgroups(7), Documentation/admin-guide/cgroup-v2.rst). */
import {mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync} from 'node:fs';
import {join, relative} from 'node:path';

export type Controller = 'cpu' | 'memory' | 'pids';

const controllers: readonly Controller[] = ['cpu', 'memory', 'pids'];

/** The directory of this process's own cgroup, `null` where no version 2 hierarchy is mounted. */
export function findOwnCgroup(
	mounts = readOr('/proc/self/mountinfo', ''),
	membership = readOr('/proc/self/cgroup', ''),
): string | null {
	const path = /^0::(.*)$/m.exec(membership)?.[1];
	if (path === undefined || isOutside(path)) {
		return null;
	}

	for (const line of mounts.split('\n')) {
		// proc_pid_mountinfo(5): id parent device ROOT MOUNT options … - TYPE source …
		const [left = '', right = ''] = line.split(' - ');
		const [, , , root, mount] = left.split(' ').map(unescapeOctal);
		if (right.startsWith('cgroup2 ') && root !== undefined && mount !== undefined && !isOutside(root)) {
			const inside = relative(root, path);
			if (!isOutside(`/${inside}`)) {
				return join(mount, inside);
			}
		}
	}

	return null;
}

/** cgroup_namespaces(7): what is not below the root of our namespace begins with "/..". */
function isOutside(path: string): boolean {
	return path === '/..' || path.startsWith('/../');
}

function unescapeOctal(field: string): string {
	return field.replaceAll(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Controllers whose limits work for the children of a cgroup. */
export function enabledControllers(cgroup: string): ReadonlySet<Controller> {
	const enabled = readOr(join(cgroup, 'cgroup.subtree_control'), '').trim().split(' ');
	return new Set(controllers.filter(name => enabled.includes(name)));
}

/** Enables what can be enabled: that needs a cgroup without processes of its own, but for the root. */
export function enableControllers(cgroup: string): void {
	const available = readOr(join(cgroup, 'cgroup.controllers'), '').trim().split(' ');
	for (const name of controllers.filter(controller => available.includes(controller))) {
		try {
			writeFileSync(join(cgroup, 'cgroup.subtree_control'), `+${name}`);
		} catch {
			// EBUSY, EACCES: limits of this kind are refused, with a sentence that says why.
		}
	}
}

/** Whether anything lives in a cgroup or below; `false` too where it is gone. */
export function isPopulated(cgroup: string): boolean {
	return /^populated 1$/m.test(readOr(join(cgroup, 'cgroup.events'), ''));
}

/** Pids in a cgroup and below. Zombies are not listed. */
export function listMembers(cgroup: string): number[] {
	return [cgroup, ...subgroups(cgroup)].flatMap(path =>
		readOr(join(path, 'cgroup.procs'), '')
			.split('\n')
			.map(Number)
			// 0 is a process that our pid namespace does not know.
			.filter(pid => pid > 0),
	);
}

/** SIGKILL to all, also to those that fork meanwhile (Linux 5.14). False where that cannot be had. */
export function killMembers(cgroup: string): boolean {
	try {
		writeFileSync(join(cgroup, 'cgroup.kill'), '1');
		return true;
	} catch {
		// ENOENT: an older kernel, or the cgroup is gone.
		return false;
	}
}

/** Removes an empty cgroup with all below it. False where it is not empty. */
export function removeCgroup(cgroup: string): boolean {
	for (const path of [...subgroups(cgroup).reverse(), cgroup]) {
		try {
			rmdirSync(path);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
				return false;
			}
		}
	}

	return true;
}

export function makeCgroup(path: string): void {
	mkdirSync(path, {recursive: true, mode: 0o755});
}

/** All cgroups below, parents first: a command may make its own. */
export function subgroups(cgroup: string): string[] {
	try {
		return readdirSync(cgroup, {withFileTypes: true})
			.filter(entry => entry.isDirectory())
			.map(entry => join(cgroup, entry.name))
			.flatMap(path => [path, ...subgroups(path)]);
	} catch {
		// It is gone.
		return [];
	}
}

/** One number of a file, or of a line of a file that begins with `key`; `null` where it is not to be had. */
export function readNumber(cgroup: string, file: string, key?: string): number | null {
	const content = readOr(join(cgroup, file), '');
	const found = key === undefined ? /^(\d+)$/m.exec(content) : new RegExp(`^${key} (\\d+)$`, 'm').exec(content);
	return found === null ? null : Number(found[1]);
}

function readOr(path: string, otherwise: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		// ENOENT, ENODEV: the cgroup is gone, or does not know this file.
		return otherwise;
	}
}
