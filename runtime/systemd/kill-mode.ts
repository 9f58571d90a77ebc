import {execFile} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {promisify} from 'node:util';

const run = promisify(execFile);

/** systemd that does not answer by then is not asked any longer. */
const patienceMs = 3000;

/** The systemd service that a process belongs to. */
export interface ServiceUnit {
	readonly name: string;
	/** Of a user's own systemd. */
	readonly isUsers: boolean;
}

/** The service whose cgroup this is (proc_pid_cgroup(5)); `null` where there is none, in a terminal for instance. */
export function findService(membership: string): ServiceUnit | null {
	// Version 2 or version 1: whichever systemd uses; in the other one everybody may be at the root.
	for (const [, path = ''] of membership.matchAll(/^(?:0:|\d+:name=systemd):(.*)$/gm)) {
		const units = path.split('/').filter(segment => /\.(service|scope)$/.test(segment));
		const name = units.pop();
		if (name?.endsWith('.service')) {
			return {name, isUsers: units.some(unit => /^user@\d+\.service$/.test(unit))};
		}
	}

	return null;
}

/** What would become of our commands when the service of this process is stopped; `null` where nothing would. */
export async function findKillModeProblem(environment: NodeJS.ProcessEnv): Promise<string | null> {
	const unit = findService(readMembership());
	const mode = unit && (await askKillMode(unit, environment));
	if (mode !== 'control-group' && mode !== 'mixed') {
		return null;
	}

	return `${unit?.name} has KillMode=${mode}: a stop or a restart of it kills all commands; set KillMode=process`;
}

function readMembership(): string {
	try {
		return readFileSync('/proc/self/cgroup', 'utf8');
	} catch {
		// No procfs, no systemd.
		return '';
	}
}

async function askKillMode({name, isUsers}: ServiceUnit, environment: NodeJS.ProcessEnv): Promise<string | null> {
	try {
		const words = [...(isUsers ? ['--user'] : []), 'show', '--property=KillMode', '--value', '--', name];
		const {stdout} = await run('systemctl', words, {
			env: environment,
			timeout: patienceMs,
			killSignal: 'SIGKILL',
		});
		return stdout.trim();
	} catch {
		// Not installed, or not to be reached from here: nothing can be said.
		return null;
	}
}
