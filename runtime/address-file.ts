/**
 * Where the daemon of a state directory listens, for the command line on the same machine.
 *
 * A daemon that was killed leaves its file behind, and its port may be a stranger's by now, who must never be sent a
 * token. So the file names the process that listens by all that makes a pid unique: as long as that one is alive,
 * the port is its own.
 */
import {readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import * as v from 'valibot';

const schema = v.object({
	url: v.pipe(v.string(), v.url()),
	pid: v.pipe(v.number(), v.integer()),
	start_ticks: v.string(),
	boot_id: v.string(),
});

/** Says where this process listens; only the owner of the state directory may. */
export function publishAddress(stateDir: string, url: string): void {
	const {pid} = process;
	const content = {url, pid, start_ticks: readStartTicks(pid), boot_id: readBootId()};
	// Whoever reads it meanwhile sees the old one or the new one, never half of it.
	const draft = `${addressPath(stateDir)}.new`;
	writeFileSync(draft, `${JSON.stringify(content)}\n`, {mode: 0o600});
	renameSync(draft, addressPath(stateDir));
}

/** Nobody who comes from now on is to try. */
export function withdrawAddress(stateDir: string): void {
	rmSync(addressPath(stateDir), {force: true});
}

/** The URL of the daemon and its pid; `null` where none runs. Throws what reading throws, for instance EACCES. */
export function readAddress(stateDir: string): {readonly url: string; readonly pid: number} | null {
	const parsed = v.safeParse(schema, parseJson(readIfThere(addressPath(stateDir))));
	if (!parsed.success) {
		return null;
	}

	const {url, pid, start_ticks: startTicks, boot_id: bootId} = parsed.output;
	return bootId === readBootId() && startTicks === readStartTicks(pid) ? {url, pid} : null;
}

function addressPath(stateDir: string): string {
	return join(stateDir, 'address');
}

/** proc_pid_stat(5), field 22; the name, field 2, may hold spaces and parentheses. `null`: it does not live. */
function readStartTicks(pid: number): string | null {
	const stat = readIfThere(`/proc/${pid}/stat`);
	const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
	// A zombie listens no more.
	return /[ZX]/.test(fields[0] ?? 'X') ? null : (fields[19] ?? null);
}

function readBootId(): string {
	return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function readIfThere(path: string): string | null {
	try {
		return readFileSync(path, 'utf8');
	} catch (error) {
		// ESRCH: it ended between open and read.
		if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) {
			return null;
		}

		throw error;
	}
}

function parseJson(text: string | null): unknown {
	try {
		return JSON.parse(text ?? 'null');
	} catch {
		// Cut off by a machine that lost its power: as good as none.
		return null;
	}
}
