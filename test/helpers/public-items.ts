/** Finds what the library makes public, and what of it has no docstring. */
import {join, normalize} from 'node:path';
import type {Sources} from './source-files.js';

const declaration = /^export (?:declare )?(?:abstract )?(?:async )?(?:class|function|interface|type|const) (\w+)/;
// export {…} from, export type {…} from, export * from, export type * from
const reExport = /^export (?:type )?(?:\*|\{([^}]*)\}) from '([^']+)';/gm;

/** Items without a docstring, as `module: item` or `module: item.member`. */
export function findUndocumented(sources: Sources, index: string): string[] {
	return listExports(sources, index).flatMap(({module, isExported}) => {
		const lines = (sources.get(module) ?? '').split('\n');
		return lines.flatMap((line, at) => {
			const name = declaration.exec(line)?.[1];
			if (name === undefined || !isExported(name)) {
				return [];
			}

			const members = line.includes(' interface ') ? undocumentedMembers(lines, at) : [];
			const all = isDocumented(lines, at) ? members : ['', ...members];
			return all.map(member => `${module}: ${name}${member === '' ? '' : `.${member}`}`);
		});
	});
}

interface Exported {
	readonly module: string;
	isExported(name: string): boolean;
}

function listExports(sources: Sources, index: string): Exported[] {
	const others = [...(sources.get(index) ?? '').matchAll(reExport)].map(([, names, path]) => {
		const listed = names?.split(',').map(name => name.replace(/\btype\b/, '').trim());
		return {
			module: normalize(join(index, '..', path ?? '')).replace(/\.js$/, ''),
			isExported: (name: string) => listed?.includes(name) ?? true,
		};
	});
	return [{module: index, isExported: () => true}, ...others];
}

/** Members stand one tab in, as the formatter puts them; what they are made of stands further in. */
function undocumentedMembers(lines: readonly string[], at: number): string[] {
	const names: string[] = [];
	for (let line = at + 1; line < lines.length && lines[line] !== '}'; line++) {
		const member = /^\t(?:readonly )?(\w+)[?(<:]/.exec(lines[line] ?? '')?.[1];
		if (member !== undefined && !isDocumented(lines, line)) {
			names.push(member);
		}
	}

	return names;
}

/** The line before ends a docstring; decorators may stand between. */
function isDocumented(lines: readonly string[], at: number): boolean {
	let before = at - 1;
	while (lines[before]?.trimStart().startsWith('@')) {
		before--;
	}

	return lines[before]?.trimEnd().endsWith('*/') ?? false;
}
