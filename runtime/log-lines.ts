/** Log lines for those who do not read JSON: people, and systemd's journal. */
import {fstatSync} from 'node:fs';

/** A log line as pino makes it. */
interface Line {
	readonly level: string;
	readonly time: string;
	readonly msg: string;
	readonly [fact: string]: unknown;
}

/** sd-daemon(3): what a line begins with says how grave it is. */
const priorities: Readonly<Record<string, number>> = {error: 3, warn: 4, info: 6, debug: 7};

/** One line of JSON as text for whoever reads it, with its newline. */
export type Format = (json: string) => string;

/** For a terminal: the time of day, how grave it is, the message and the facts. */
export const formatForTerminal: Format = json => {
	const {level, time, msg, ...facts} = JSON.parse(json) as Line;
	return `${time.slice(11, 23)} ${level.toUpperCase().padEnd(5)} ${msg}${listFacts(facts)}\n`;
};

/** For the journal, which knows the time itself: the priority, the message and the facts, on one line. */
export const formatForJournal: Format = json => {
	const {level, time: _, msg, ...facts} = JSON.parse(json) as Line;
	return `<${priorities[level] ?? 6}>${msg}${listFacts(facts)}\n`;
};

/** What fits where a descriptor leads; `null`: JSON, for a pipe or a file. */
export function chooseFormat(
	descriptor: number,
	isTerminal: boolean,
	journalStream: string | undefined,
): Format | null {
	if (isTerminal) {
		return formatForTerminal;
	}

	return journalStream !== undefined && journalStream === deviceAndInode(descriptor) ? formatForJournal : null;
}

/** systemd.exec(5), $JOURNAL_STREAM: it is inherited even where the output was sent elsewhere, so it is compared. */
function deviceAndInode(descriptor: number): string | null {
	try {
		const {dev, ino} = fstatSync(descriptor, {bigint: true});
		return `${dev}:${ino}`;
	} catch {
		// EBADF: it is closed.
		return null;
	}
}

function listFacts(facts: object): string {
	return Object.entries(facts)
		.map(([name, value]) => ` ${name}=${show(value)}`)
		.join('');
}

/** One word as it is, anything else as JSON: so nothing can pass for another fact or another line. */
function show(value: unknown): string {
	return typeof value === 'string' && /^[\w.:/@+-]+$/.test(value) ? value : JSON.stringify(value);
}
