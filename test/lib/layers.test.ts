import test from 'ava';
import {findCycles, findLines, type Import, listImports, readSources, type Sources} from '../helpers/source-files.js';

interface Row {
	/** Which modules it is about. A module belongs to the first row that fits. */
	readonly of: RegExp;
	/** What they may import of ours. */
	readonly may: RegExp;
}

/** DESIGN.md, "Layout": imports point one way. */
const rows: readonly Row[] = [
	{of: /^lib\/(process|streams|state-file|nearest|well-formed)$/, may: /^(?!)/},
	{of: /^lib\/(transitions|process-view|errors)$/, may: /^lib\/process$/},
	{of: /^lib\/opening-errors$/, may: /^lib\/errors$/},
	{of: /^lib\/events$/, may: /^lib\/(process|process-view)$/},
	{of: /^lib\/readiness-input$/, may: /^lib\/(process|well-formed)$/},
	{of: /^lib\/parse-with$/, may: /^lib\/(errors|nearest)$/},
	{of: /^lib\/command-schema$/, may: /^lib\/(readiness-input|parse-with|nearest|well-formed)$/},
	{of: /^lib\/command$/, may: /^lib\/(process|errors|readiness-input|command-schema|parse-with)$/},
	{of: /^lib\/store-ports$/, may: /^lib\/(process|process-view|events)$/},
	{of: /^lib\/ports$/, may: /^lib\/(process|transitions|streams|events|errors|store-ports)$/},
	{of: /^lib\/api$/, may: /^lib\/(process|process-view|streams|events|errors|command)$/},
	{of: /^lib\/settings$/, may: /^lib\/(process|streams|events|errors|opening-errors|ports|nearest)$/},
	{of: /^lib\/tokens$/, may: /^lib\/(process|streams|events|errors|ports|settings)$/},
	{
		of: /^lib\/sqlite\//,
		may: /^lib\/(process|transitions|process-view|streams|events|errors|opening-errors|command-schema|ports|tokens|state-file|sqlite\/.*)$/,
	},
	{
		of: /^lib\/keeper\//,
		may: /^lib\/(process|streams|events|errors|opening-errors|command-schema|ports|tokens|state-file|keeper\/.*)$/,
	},
	{of: /^lib\/os\//, may: /^lib\/(process|streams|events|errors|opening-errors|command-schema|ports|tokens|os\/.*)$/},
	{
		of: /^lib\/output\//,
		may: /^lib\/(process|streams|events|errors|command-schema|ports|tokens|state-file|output\/.*)$/,
	},
	{
		of: /^lib\/index$/,
		may: /^lib\/(process|process-view|streams|events|errors|opening-errors|command|command-schema|readiness-input|ports|store-ports|api|settings|compose|supervisor|examination)$/,
	},
	{of: /^lib\/examination$/, may: /^lib\/(errors|ports|keeper\/programs|os\/.*|sqlite\/database)$/},
	{of: /^lib\/compose$/, may: /^lib\/(?!index$)/},
	// The supervisor and its parts.
	{of: /^lib\/[^/]+$/, may: /^lib\/(?!index$|compose$)[^/]+$/},
	{of: /^runtime\//, may: /^(lib\/index$|runtime\/)/},
];

/** Which packages only some modules may import. */
const packages: readonly Row[] = [
	{of: /^lib\/tokens$/, may: /^(tsyringe|reflect-metadata)$/},
	{of: /^lib\/sqlite\//, may: /^better-sqlite3$/},
	{of: /^lib\/keeper\//, may: /^node:child_process$/},
	{of: /^lib\/os\/readiness\//, may: /^(node:https?|node:net)$/},
	{of: /^lib\/os\//, may: /^(tree-kill|node:child_process)$/},
	{of: /^lib\/event-bus$/, may: /^eventemitter3$/},
	{of: /^runtime\//, may: /^(node:https?|node:net|jose.*|commander|pino|prom-client)$/},
	{of: /^runtime\/systemd\//, may: /^node:child_process$/},
];

/** What the program does only in one kind of place; STYLE.md, "Smells we refuse". */
const places: ReadonlyArray<{what: string; pattern: RegExp; only: RegExp}> = [
	{
		what: 'SQL',
		pattern: /\b(SELECT .+ FROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM|CREATE (TABLE|INDEX)|PRAGMA)\b|\.pragma\(/,
		only: /^lib\/sqlite\//,
	},
	{
		what: 'starting a program',
		pattern: /(?<!\.)\b(spawn|execFile|fork)(Sync)?\(/,
		only: /^(lib\/(keeper|os)|runtime\/systemd)\//,
	},
	{what: 'answering HTTP', pattern: /\b(res|response)\.(end|write|writeHead|setHeader)\(/, only: /^runtime\//},
	{
		what: 'asking the container',
		pattern: /(?<!Promise|path|require|meta)\.resolve(<.*>)?\(/,
		only: /^lib\/(compose|index)$/,
	},
	{what: 'the global container', pattern: /@(singleton|scoped|registry|autoInjectable)\(/, only: /^(?!)/},
	{what: 'sending a signal', pattern: /\bprocess\.kill\((?!process\.pid\b)/, only: /^lib\/os\//},
];

function wrongImports(imports: readonly Import[]): string[] {
	return imports.flatMap(({from, to}) => {
		const isOurs = /^(lib|runtime)\//.test(to);
		const owners = packages.filter(({may}) => may.test(to));
		const isRight = isOurs
			? rows.find(({of}) => of.test(from))?.may.test(to)
			: owners.length === 0 || owners.some(({of}) => of.test(from));
		return isRight ? [] : [`${from} imports ${to}`];
	});
}

function wrongPlaces(sources: Sources): string[] {
	return places.flatMap(({what, pattern, only}) =>
		findLines(new Map([...sources].filter(([path]) => !only.test(path))), pattern).map(line => `${what}: ${line}`),
	);
}

const sources = readSources('lib', 'runtime');
const imports = listImports(sources);

test('imports point one way', t => {
	t.true(imports.length > 100);
	t.deepEqual(wrongImports(imports), []);
});

test('no module can be reached from itself', t => {
	t.deepEqual(findCycles(imports), []);
});

test('each technology stays in its place', t => {
	t.deepEqual(wrongPlaces(sources), []);
});

test('the adapters have something to keep in their places', t => {
	for (const {what, pattern, only} of places.filter(({only}) => only.source !== '^(?!)')) {
		const found = findLines(new Map([...sources].filter(([path]) => only.test(path))), pattern);

		t.true(found.length > 0, `${what} is found nowhere: the pattern looks for the wrong thing`);
	}
});

const refuses = test.macro({
	exec(t, from: string, line: string, complaint: string) {
		const bad = new Map([[from, `// fine\n${line}\n`]]);

		t.deepEqual([...wrongImports(listImports(bad)), ...wrongPlaces(bad)], [complaint]);
	},
	title: (_, from, line) => `refused in ${from}: ${line}`,
});

test(refuses, 'lib/process', `import type {Clock} from './ports.js';`, 'lib/process imports lib/ports');
test(refuses, 'lib/events', `export * from './errors.js';`, 'lib/events imports lib/errors');
test(refuses, 'lib/ports', `import {EventBus} from './event-bus.js';`, 'lib/ports imports lib/event-bus');
test(refuses, 'lib/os/proc', `import '../keeper/record.js';`, 'lib/os/proc imports lib/keeper/record');
test(refuses, 'lib/sqlite/database', `import {Ledger} from '../ledger.js';`, 'lib/sqlite/database imports lib/ledger');
test(
	refuses,
	'lib/reaper',
	`import {ProcessTree} from './os/process-tree.js';`,
	'lib/reaper imports lib/os/process-tree',
);
test(refuses, 'lib/reaper', `const x = await import('./compose.js');`, 'lib/reaper imports lib/compose');
test(refuses, 'lib/supervisor', `import {createSupervisor} from './index.js';`, 'lib/supervisor imports lib/index');
test(refuses, 'lib/compose', `import {serve} from '../runtime/server.js';`, 'lib/compose imports runtime/server');
test(
	refuses,
	'runtime/routes',
	`import {parseCommand} from '../lib/command.js';`,
	'runtime/routes imports lib/command',
);
test(refuses, 'lib/reaper', `import {injectable} from 'tsyringe';`, 'lib/reaper imports tsyringe');
test(refuses, 'lib/compose', `import 'reflect-metadata';`, 'lib/compose imports reflect-metadata');
test(refuses, 'lib/queries', `import Database from 'better-sqlite3';`, 'lib/queries imports better-sqlite3');
test(
	refuses,
	'lib/termination',
	`import {exec} from 'node:child_process';`,
	'lib/termination imports node:child_process',
);
test(refuses, 'lib/supervisor', `import {createServer} from 'node:http';`, 'lib/supervisor imports node:http');
test(
	refuses,
	'lib/queries',
	`const sql = 'SELECT * FROM processes';`,
	`SQL: lib/queries: const sql = 'SELECT * FROM processes';`,
);
test(
	refuses,
	'lib/reaper',
	`this.container.resolve(Clock);`,
	'asking the container: lib/reaper: this.container.resolve(Clock);',
);
test(refuses, 'lib/supervisor', 'response.end(body);', 'answering HTTP: lib/supervisor: response.end(body);');
test(refuses, 'lib/recovery', 'process.kill(pid);', 'sending a signal: lib/recovery: process.kill(pid);');
test(refuses, 'lib/clock', '@singleton()', 'the global container: lib/clock: @singleton()');
test(refuses, 'lib/admission', `spawn('bash');`, `starting a program: lib/admission: spawn('bash');`);

test('a statement over several lines is an import too, and one in a comment is none', t => {
	const text = `import {
	a,
	type B,
} from './b.js';
// import './c.js';
/* import './d.js';
import './e.js'; */
export type * from '../f.js';
const url = 'http://example.org/import'; import('./g.js');
`;

	t.deepEqual(
		listImports(new Map([['lib/x/a', text]])).map(({to}) => to),
		['lib/x/b', 'lib/f', 'lib/x/g'],
	);
});

test('a cycle is found wherever it begins, also through types', t => {
	const cyclic = [
		{from: 'a', to: 'b'},
		{from: 'b', to: 'c'},
		{from: 'c', to: 'b'},
		{from: 'd', to: 'd'},
	];

	t.deepEqual(findCycles(cyclic), [
		['b', 'c', 'b'],
		['c', 'b', 'c'],
		['d', 'd'],
	]);
	t.deepEqual(findCycles(cyclic.slice(0, 2)), []);
});
