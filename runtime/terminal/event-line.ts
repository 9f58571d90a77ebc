import {readEvent, readGap} from '../client/answers.js';
import {escaped} from '../shown-text.js';
import {statusText} from './process-table.js';
import type {Screen} from './screen.js';
import {narrowed} from './table.js';

/** One event as a line: when, what, of which process, and how it is with it now. */
export function eventLine(type: string, data: string, {columns, paint}: Screen): string {
	if (type === 'gap') {
		const {from, to} = readGap(data);
		return paint.yellow(`of the events ${from} to ${to} some are not kept any more`);
	}

	const {at, why, process} = readEvent(data);
	const state = type === 'ended' ? statusText(process) : (why ?? '');
	const line = [at, type.padEnd(9), process.process_id, state, process.name ?? '']
		.filter(text => text !== '')
		.join('  ');
	return narrowed(escaped(line), columns ?? Number.POSITIVE_INFINITY);
}
