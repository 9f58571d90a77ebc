import {basename} from 'node:path';
import {cookieName} from '../command-schema.js';
import type {ProcessId, Start} from '../process.js';
import {readCommandLine, readStat, readVariable} from './proc.js';

/**
 * Whether the pid and the session of a record are those of its command. The record is a file, and a command that runs
 * as our user can write a stranger's number into it: so something must agree that no file can change, the
 * cookie that the stranger would have begun with or the shim that would be its parent. Where the leader is gone,
 * its session must not be one that somebody else leads.
 */
export function isCredible(processId: ProcessId, {identity, sessionId}: Start, stateDir: string): boolean {
	const leader = readStat(identity.pid);
	if (leader?.startTicks === identity.startTicks) {
		return readVariable(identity.pid, cookieName) === processId || isKeeper(leader.parentPid, stateDir);
	}

	return readStat(sessionId) === null || isKeeper(sessionId, stateDir);
}

/** Whether a process is a keeper of this state directory, or one of its shims. */
export function isKeeper(pid: number, stateDir: string): boolean {
	const [script, directory] = readCommandLine(pid).slice(-2);
	return basename(script ?? '') === 'keeper.sh' && directory === stateDir;
}
