import type {Supervisor} from '../lib/index.js';
import type {Caller} from './caller.js';
import {NamedSupervisor} from './named-supervisor.js';
import {OwnSupervisor} from './own-supervisor.js';
import type {SupervisorView} from './supervisor-view.js';

/** What is started belongs to the caller, and one that is limited to its own finds nobody else's. */
export function supervisorFor({subject, isLimitedToOwn}: Caller, supervisor: Supervisor): SupervisorView {
	if (isLimitedToOwn) {
		// Nobody is called the empty string, so a stranger owns nothing.
		return new OwnSupervisor(supervisor, subject ?? '');
	}

	return subject === null ? supervisor : new NamedSupervisor(supervisor, subject);
}
