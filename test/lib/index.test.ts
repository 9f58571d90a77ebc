import test from 'ava';
import {createSupervisor, SettingsInvalidError, type Supervisor} from '../../lib/index.js';
import {findUndocumented} from '../helpers/public-items.js';
import {readSources} from '../helpers/source-files.js';

const sources = readSources('lib');

test('every public item has a docstring, and so has every member of a public interface', t => {
	t.deepEqual(findUndocumented(sources, 'lib/index'), []);
});

test('no public type mentions a container, or a package whose types its users lack', t => {
	const inside = /\b(better-sqlite3|tsyringe|DependencyContainer)\b/;
	const modules = [
		'lib/index',
		'lib/api',
		'lib/command',
		'lib/errors',
		'lib/events',
		'lib/ports',
		'lib/process',
		'lib/settings',
		'lib/store-ports',
	];

	t.deepEqual(
		modules.filter(module => inside.test(sources.get(module) ?? '')),
		[],
	);
});

const documented = `
/** A class. */
@injectable()
export class A {}
/** An interface. */
export interface B {
	/** A member. */
	readonly a: {
		readonly deep: string;
	};
	/** A method. */
	b<T>(
		t: T,
	): void;
}
`;
const undocumented = `
/** About something else. */

export class C {}
export abstract class D {}
export interface E {
	readonly a: string;
	/** A member. */
	b?: string;
	c(): void;
	d<T>(t: T): void;
}
export type F = string;
export const g = 1;
export async function h() {}
function inner() {}
`;

test('an item without a docstring is found, wherever it comes from', t => {
	const bad = new Map([
		['x/index', `export * from './a.js';\nexport {C, type E} from './b.js';\nexport function i() {}\n`],
		['x/a', documented],
		['x/b', undocumented],
	]);

	t.deepEqual(findUndocumented(bad, 'x/index'), ['x/index: i', 'x/b: C', 'x/b: E', 'x/b: E.a', 'x/b: E.c', 'x/b: E.d']);
});

test('of a module that is public as a whole every item is looked at', t => {
	const bad = new Map([
		['x/index', `export type * from './b.js';\n`],
		['x/b', undocumented],
	]);

	t.deepEqual(findUndocumented(bad, 'x/index'), [
		...['C', 'D', 'E', 'E.a', 'E.c', 'E.d', 'F', 'g', 'h'].map(name => `x/b: ${name}`),
	]);
});

test('no options at all are refused as wrong ones are', async t => {
	// As a program without types may call it.
	const create = createSupervisor as (options?: unknown) => Promise<Supervisor>;

	for (const options of [undefined, null, 5]) {
		await t.throwsAsync(create(options), {
			instanceOf: SettingsInvalidError,
			message: `options must be an object of settings; got ${options}`,
		});
	}
});
