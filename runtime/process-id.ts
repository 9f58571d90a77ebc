import {Problem} from './problem.js';
import type {Call} from './router.js';
import {printable} from './shown-text.js';

/** @throws {Problem} 404 for what cannot be an id, so that nothing else ever comes near a file name. */
export function assertProcessId(id: string): void {
	if (!/^proc_[0-9a-z]{1,64}$/i.test(id)) {
		throw new Problem('RESOURCE_NOT_FOUND', `No process with id ${printable(id)}`);
	}
}

/** The one in the path. @throws {Problem} 404 */
export function readProcessId({parameters: {process_id: processId = ''}}: Pick<Call, 'parameters'>): string {
	assertProcessId(processId);
	return processId;
}
