/** Reads the program's own sources, for the tests that watch over their order. */
import {readdirSync, readFileSync} from 'node:fs';
import {join, normalize} from 'node:path';
import {fileURLToPath} from 'node:url';

const packageRoot = fileURLToPath(new URL('../../../', import.meta.url));

/** Text of each module by its path from the root of the package, without `.ts`. */
export type Sources = ReadonlyMap<string, string>;

export interface Import {
	readonly from: string;
	/** A path like that of `from`, or the name of a package. */
	readonly to: string;
}

export function readSources(...directories: readonly string[]): Sources {
	const paths = directories.flatMap(directory =>
		(readdirSync(join(packageRoot, directory), {recursive: true}) as string[]).map(path => join(directory, path)),
	);
	return new Map(
		paths
			.filter(path => path.endsWith('.ts'))
			.map(path => [path.slice(0, -'.ts'.length), readFileSync(join(packageRoot, path), 'utf8')]),
	);
}

// import … from 'x', export … from 'x', import 'x', import('x'), import … = require('x'); a statement begins a line.
const statement =
	/^import \w+ = require\('([^']+)'\)|^(?:import|export)\b[^;'"]*?\bfrom\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;

/** Everything that is imported, for its types too. */
export function listImports(sources: Sources): Import[] {
	return [...sources].flatMap(([from, text]) =>
		[...withoutComments(text).matchAll(statement)].map(([, required, exported, sideEffect, dynamic]) => {
			const name = required ?? exported ?? sideEffect ?? dynamic ?? '';
			const to = name.startsWith('.') ? normalize(join(from, '..', name)).replace(/\.js$/, '') : name;
			return {from, to};
		}),
	);
}

/** One way around for each module that can be reached from itself. */
export function findCycles(imports: readonly Import[]): string[][] {
	const targets = new Map<string, string[]>();
	for (const {from, to} of imports) {
		targets.set(from, [...(targets.get(from) ?? []), to]);
	}

	return [...targets.keys()].map(start => findWayBack(start, targets)).filter(cycle => cycle !== null);
}

function findWayBack(start: string, targets: ReadonlyMap<string, readonly string[]>): string[] | null {
	const seen = new Set<string>();
	const paths = [[start]];
	// Grows while it is walked: the shortest way is found first.
	for (const path of paths) {
		for (const next of targets.get(path.at(-1) ?? '') ?? []) {
			if (next === start) {
				return [...path, next];
			}

			if (!seen.has(next)) {
				seen.add(next);
				paths.push([...path, next]);
			}
		}
	}

	return null;
}

/** Lines that match, as `path: line`, comments left out. */
export function findLines(sources: Sources, pattern: RegExp): string[] {
	return [...sources].flatMap(([path, text]) =>
		withoutComments(text)
			.split('\n')
			.filter(line => pattern.test(line))
			.map(line => `${path}: ${line.trim()}`),
	);
}

/** Good enough for formatted code, which has no comment marks in its strings but behind a colon (a URL). */
export function withoutComments(text: string): string {
	return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|[^:'"`])\/\/.*$/gm, '$1');
}
