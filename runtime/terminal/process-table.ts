import prettyMs from 'pretty-ms';
import type {ShownProcess} from '../client/answers.js';
import {escaped} from '../shown-text.js';
import type {Screen} from './screen.js';
import {type Cell, table} from './table.js';

const columnTitles = ['ID', 'NAME', 'STATUS', 'TIME', 'COMMAND'];
/** What the widest column is for can be guessed from its beginning, and most of all an id must be whole. */
const shrinking = [4, 1, 3, 2, 0];
const leastDigits = 8;

/** Processes as a table: on a terminal with short ids, and cut to its width. */
export function processTable(processes: readonly ShownProcess[], {columns, paint}: Screen): string {
	const digits = columns === null ? null : uniqueDigits(processes.map(({process_id: id}) => id));
	const rows = processes.map(process => [
		{text: escaped(digits === null ? process.process_id : beginning(process.process_id, digits))},
		{text: escaped(process.name ?? '')},
		{text: escaped(statusText(process)), paint: statusPaint(process, paint)},
		{text: timeText(process.execution_time)},
		{text: escaped(commandText(process))},
	]);
	const title = columnTitles.map((text): Cell => ({text, paint: paint.bold}));
	return table([title, ...rows], columns, shrinking);
}

/** `failed 3`, `killed SIGTERM`, `killed timeout`, `completed`. */
export function statusText({status, reason, exit_code: exitCode, signal}: ShownProcess): string {
	if (status === 'failed') {
		return `failed ${exitCode ?? signal ?? reason ?? ''}`.trimEnd();
	}

	return status === 'killed' && reason !== 'request' ? `killed ${reason ?? ''}`.trimEnd() : status;
}

/** The command as somebody may have typed it. */
function commandText({command, args}: ShownProcess): string {
	return [command, ...(args ?? [])].join(' ');
}

function statusPaint({status}: ShownProcess, paint: Screen['paint']): (text: string) => string {
	const painters: Readonly<Record<string, (text: string) => string>> = {
		queued: paint.yellow,
		running: paint.green,
		failed: paint.red,
		killed: paint.magenta,
	};
	return painters[status] ?? String;
}

function timeText(seconds: number | null): string {
	return seconds === null ? '' : prettyMs(seconds * 1000, {unitCount: 2, secondsDecimalDigits: seconds < 10 ? 1 : 0});
}

function beginning(processId: string, digits: number): string {
	return processId.replace(/^proc_/, '').slice(0, digits);
}

/** So many digits of each id that no two are the same. */
function uniqueDigits(ids: readonly string[]): number {
	let digits = leastDigits;
	while (digits < 32 && new Set(ids.map(id => beginning(id, digits))).size < ids.length) {
		digits++;
	}

	return digits;
}
