import {spawnSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';

const agentProgram = fileURLToPath(new URL('agent-program.js', import.meta.url));

/** Why no agent can run here as another user; `null` where it can. */
export function whyNotAs(uid: number): string | null {
	if (process.getuid?.() !== 0) {
		return 'needs root';
	}

	// Loads all of it, the compiled part too.
	const script = `await import(${JSON.stringify(agentProgram)})`;
	const {error, status} = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
		uid,
		gid: uid,
		cwd: '/',
		stdio: 'ignore',
	});
	return error === undefined && status === 0 ? null : `user ${uid} cannot read this checkout`;
}
