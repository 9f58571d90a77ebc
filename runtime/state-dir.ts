import {homedir} from 'node:os';
import {join} from 'node:path';

/** Where state is kept unless a setting says otherwise. */
export function defaultStateDir(environment: Readonly<Record<string, string | undefined>>): string {
	// systemd.exec(5): several directories are separated by colons.
	const fromSystemd = environment['STATE_DIRECTORY']?.split(':', 1)[0];
	if (fromSystemd) {
		return fromSystemd;
	}

	// XDG Base Directory Specification: a variable that is empty counts as not set, a relative path is invalid.
	const fromXdg = environment['XDG_STATE_HOME'];
	return fromXdg?.startsWith('/') ? join(fromXdg, 'nohupd') : homeStateDir();
}

/** Where everybody looks who has no variables set. */
export function homeStateDir(): string {
	return join(homedir(), '.local', 'state', 'nohupd');
}
