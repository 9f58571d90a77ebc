import {CannotError} from '../failure.js';
import {escaped} from '../shown-text.js';
import type {ShownProcess} from './answers.js';
import type {DaemonClient} from './daemon-client.js';

const wholeId = /^proc_[0-9a-f]{32}$/;
const partOfId = /^(?:proc_[0-9a-f]{0,32}|[0-9a-f]{1,32})$/;
const shownCandidates = 10;

/**
 * Which one is meant where several have the name: the one that has not ended, if it is the only one (`live`); or the
 * newest, if all have ended (`newest`); or none of them.
 */
export type Preference = 'newest' | 'live' | 'none';

/**
 * The id of the one process that somebody means: by its id, by its name, or by the beginning of its id, with or
 * without `proc_`. A name goes before a beginning.
 *
 * Rejects with `CannotError` where there is none, or more than one: then it names them.
 */
export async function findProcess(
	client: Pick<DaemonClient, 'list'>,
	meant: string,
	preference: Preference,
): Promise<string> {
	if (wholeId.test(meant)) {
		// The daemon says it if there is none.
		return meant;
	}

	const named = meant === '' ? [] : await findByName(client, meant, preference);
	const candidates = named.length === 0 && partOfId.test(meant) ? await findByBeginning(client, meant) : named;
	const [first, second] = candidates;
	if (first === undefined) {
		throw new CannotError(`No process has the name, or an id that begins with, "${escaped(meant)}"`);
	}

	if (second !== undefined) {
		throw new CannotError(
			`"${escaped(meant)}" can be one of several processes; give the id of one:\n${describe(candidates)}`,
		);
	}

	return first.process_id;
}

async function findByName(
	client: Pick<DaemonClient, 'list'>,
	name: string,
	preference: Preference,
): Promise<readonly ShownProcess[]> {
	const {processes} = await client.list({name, limit: shownCandidates + 1});
	if (preference === 'none' || processes.length < 2) {
		return processes;
	}

	const pages = await Promise.all(['running', 'queued'].map(status => client.list({name, status, limit: 2})));
	const live = pages.flatMap(page => page.processes);
	if (live.length === 1) {
		return live;
	}

	return live.length === 0 && preference === 'newest' ? processes.slice(0, 1) : processes;
}

async function findByBeginning(client: Pick<DaemonClient, 'list'>, beginning: string): Promise<ShownProcess[]> {
	const prefix = beginning.startsWith('proc_') ? beginning : `proc_${beginning}`;
	const found: ShownProcess[] = [];
	let cursor: string | undefined;
	do {
		const page = await client.list({cursor});
		found.push(...page.processes.filter(({process_id: id}) => id.startsWith(prefix)));
		cursor = page.next_cursor;
	} while (cursor !== undefined && found.length <= shownCandidates);

	return found;
}

function describe(candidates: readonly ShownProcess[]): string {
	const lines = candidates
		.slice(0, shownCandidates)
		.map(({process_id: id, status, name}) => `  ${escaped(id)}  ${escaped(status)}  ${escaped(name ?? '')}`.trimEnd());
	return [...lines, ...(candidates.length > shownCandidates ? ['  …'] : [])].join('\n');
}
