import {accessSync, constants, statSync} from 'node:fs';
import type {Host} from '../ports.js';
import {injectable} from '../tokens.js';

// sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3), systemd.exec(5): made for one process, and
// with them any command could speak to systemd in the supervisor's name. Ours hold the key, among others.
const privateNames = /^(NOTIFY_SOCKET|LISTEN_(FDS|PID|PIDFDID|FDNAMES)|WATCHDOG_\w+|CREDENTIALS_DIRECTORY|NOHUPD_\w+)$/;

// Where it is, what it runs and how many shells stand around it: the agent's values would be wrong.
const setByBash = new Set(['_', 'OLDPWD', 'PWD', 'SHLVL']);

/** The program that embeds the supervisor. */
@injectable()
export class EmbeddingHost implements Host {
	environment(): ReadonlyMap<string, string> {
		const environment = new Map<string, string>();
		for (const name of Object.keys(process.env)) {
			const value = process.env[name];
			if (value !== undefined && !setByBash.has(name) && !privateNames.test(name)) {
				environment.set(name, value);
			}
		}

		return environment;
	}

	problemWithDirectory(path: string): string | null {
		try {
			if (!statSync(path).isDirectory()) {
				return 'is not a directory';
			}

			accessSync(path, constants.X_OK);
			return null;
		} catch (error) {
			return directoryProblems[(error as NodeJS.ErrnoException).code ?? ''] ?? 'cannot be used';
		}
	}
}

const directoryProblems: Readonly<Record<string, string>> = {
	ENOENT: 'does not exist',
	ENOTDIR: 'is not a directory',
	EACCES: 'may not be entered',
	ENAMETOOLONG: 'is too long',
	ELOOP: 'is a loop of links',
};
