import {Problem} from './problem.js';
import {printable} from './shown-text.js';

/** @throws {Problem} 404 for what cannot be an id, so that nothing else ever comes near a file name. */
export function assertProcessId(id: string): void {
	if (!/^proc_[0-9a-z]{1,64}$/i.test(id)) {
		throw new Problem('RESOURCE_NOT_FOUND', `No process with id ${printable(id)}`);
	}
}
