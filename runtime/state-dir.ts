import {homedir} from 'node:os';
import {join} from 'node:path';
import {SettingsInvalidError} from '../lib/index.js';

/**
 * Where state is kept unless a setting says otherwise.
 * @throws {SettingsInvalidError} for a user without a home directory.
 */
export function defaultStateDir(environment: Readonly<Record<string, string | undefined>>): string {
	// systemd.exec(5): several directories are separated by colons.
	const fromSystemd = environment['STATE_DIRECTORY']?.split(':', 1)[0];
	if (fromSystemd) {
		return fromSystemd;
	}

	// XDG Base Directory Specification: a variable that is empty counts as not set, a relative path is invalid.
	const fromXdg = environment['XDG_STATE_HOME'];
	const path = fromXdg?.startsWith('/') ? join(fromXdg, 'nohupd') : homeStateDir();
	if (path === null) {
		throw new SettingsInvalidError('NOHUPD_STATE_DIR', 'must name a directory: this user has no home directory');
	}

	return path;
}

/** Where everybody looks who has no variables set; `null` for a user without a home directory. */
export function homeStateDir(): string | null {
	try {
		return join(homedir(), '.local', 'state', 'nohupd');
	} catch {
		// Neither HOME nor an entry in passwd(5), as in a container with any number for its user.
		return null;
	}
}
