import type {Supervisor} from '../lib/index.js';
import type {Caller} from './caller.js';
import {NamedSupervisor} from './named-supervisor.js';
import {OwnSupervisor} from './own-supervisor.js';

/**
 * The supervisor as one caller may use it: what a handler gets instead of the supervisor itself. Whatever the
 * supervisor learns to do must be decided on by both who implement this, or it does not compile.
 */
export type CallerSupervisor = Omit<Supervisor, 'stateDir' | 'on' | 'off' | 'close'>;

/** What is started belongs to the caller, and one that is limited to its own finds nobody else's. */
export function supervisorFor({subject, isLimitedToOwn}: Caller, supervisor: Supervisor): CallerSupervisor {
	if (isLimitedToOwn) {
		// Nobody is called the empty string, so a stranger owns nothing.
		return new OwnSupervisor(supervisor, subject ?? '');
	}

	return subject === null ? supervisor : new NamedSupervisor(supervisor, subject);
}
