import {existsSync} from 'node:fs';
import {join} from 'node:path';

/** Where official clients run commands that name no directory. */
const officialDirectory = '/workspace';

const spellings = ['workdir', 'working_dir'] as const;

/**
 * The body of a start, with another directory in place of the official one where this machine has none.
 * Anything that is not as it should be is left to who checks it.
 */
export function inWorkspace(body: unknown, workspace: string | undefined): unknown {
	if (workspace === undefined || typeof body !== 'object' || body === null || existsSync(officialDirectory)) {
		return body;
	}

	const moved = spellings.flatMap(field => {
		const directory = Object.hasOwn(body, field) ? (body as Record<string, unknown>)[field] : undefined;
		return isInside(directory) ? [[field, join(workspace, directory.slice(officialDirectory.length))]] : [];
	});
	return moved.length === 0 ? body : {...body, ...Object.fromEntries(moved)};
}

function isInside(directory: unknown): directory is string {
	return (
		typeof directory === 'string' && (directory === officialDirectory || directory.startsWith(`${officialDirectory}/`))
	);
}
