/** The package as somebody gets it who installs it. */
import {execFile} from 'node:child_process';
import {
	chmodSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	realpathSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {delimiter, dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {checkPackage, createPackageFromTarballData} from '@arethetypeswrong/core';
import test, {type ExecutionContext} from 'ava';
import {publint} from 'publint';
import {makeStateDir} from '../helpers/state-dir.js';
import {makeTempDir} from '../helpers/temp-dir.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const {name, version, bin} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const execute = promisify(execFile);

/** Settles with what was printed. Rejects, with that in its message, where it fails. */
async function run(cwd: string, file: string, ...words: string[]): Promise<string> {
	// Of the npm that runs this test, what it says to its children is not meant for another project.
	const env = Object.fromEntries(Object.entries(process.env).filter(([variable]) => !variable.startsWith('npm_')));
	try {
		return (await execute(file, words, {cwd, env})).stdout;
	} catch (error) {
		const {stdout, stderr} = error as {stdout?: string; stderr?: string};
		throw new Error(`${file} ${words.join(' ')}\n${stdout}\n${stderr}`, {cause: error});
	}
}

const packed = mkdtempSync(join(tmpdir(), 'nohupd-package-'));
const tarball = join(packed, `${name}-${version}.tgz`);

/** What would be published, once for all tests: they run after the build, so nothing is built again. */
test.before(async () => {
	await run(root, 'npm', 'pack', '--ignore-scripts', '--pack-destination', packed);
});

test.after.always(() => rmSync(packed, {recursive: true, force: true}));

/**
 * An empty project with the package in it, as npm would put it there. What it depends on is ours, one directory up:
 * SQLite need not be compiled again, and no registry is needed.
 */
async function install(t: ExecutionContext): Promise<string> {
	const directory = makeTempDir(t);
	const app = join(directory, 'app');
	const installed = join(app, 'node_modules', name);
	mkdirSync(join(app, 'node_modules', '.bin'), {recursive: true});
	symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
	await run(directory, 'tar', '--extract', '--file', tarball);
	await run(directory, 'mv', 'package', installed);
	const program = join(installed, bin[name]);
	chmodSync(program, 0o755);
	symlinkSync(program, join(app, 'node_modules', '.bin', name));
	writeFileSync(join(app, 'package.json'), '{"private": true}');
	return app;
}

/** Runs a command through the package and prints what it printed; the program ends by itself. */
const program = `
	const supervisor = await createSupervisor({stateDir: process.argv[2]});
	const {processId} = await supervisor.start({command: 'echo hello'});
	const {exitCode} = await supervisor.wait(processId);
	const {stdout} = await supervisor.get(processId);
	console.log(JSON.stringify({exitCode, stdout}));
	await supervisor.close();
`;
const printed = '{"exitCode":0,"stdout":"hello\\n"}\n';

test('what is published resolves for everybody, with the types that belong to it', async t => {
	const app = await install(t);

	const {messages} = await publint({pkgDir: join(app, 'node_modules', name), pack: false, strict: true});
	const {types, ...analysis} = await checkPackage(createPackageFromTarballData(readFileSync(tarball)));

	t.deepEqual(messages, []);
	t.truthy(types);
	const problems = 'problems' in analysis ? analysis.problems : [];
	t.deepEqual(
		// All versions of Node.js that we run on can require() such a module.
		problems.filter(({kind}) => kind !== 'CJSResolvesToESM'),
		[],
	);
});

test('it works from JavaScript, as a module and by require()', async t => {
	const app = await install(t);
	writeFileSync(join(app, 'module.mjs'), `import {createSupervisor} from 'nohupd';\n${program}`);
	writeFileSync(
		join(app, 'common.cjs'),
		`const {createSupervisor} = require('nohupd');\n(async () => {${program}})();\n`,
	);

	for (const file of ['module.mjs', 'common.cjs']) {
		t.is(await run(app, process.execPath, file, makeStateDir(t)), printed, file);
	}
});

for (const [module, moduleResolution] of [
	['NodeNext', 'NodeNext'],
	['ESNext', 'Bundler'],
] as const) {
	test(`it works from TypeScript with ${moduleResolution}`, async t => {
		const app = await install(t);
		const typed = `import {createSupervisor, type Process, type Supervisor} from 'nohupd';
			export const describe = ({name, exitCode}: Process, {stateDir}: Supervisor) => [name, exitCode, stateDir];
			// @ts-expect-error A command is needed.
			export const wrong = (supervisor: Supervisor) => supervisor.start({});
			${program}`;
		writeFileSync(join(app, 'program.mts'), typed);
		const compilerOptions = {
			module,
			moduleResolution,
			target: 'ES2023',
			types: ['node'],
			strict: true,
			// What we publish is checked as well.
			skipLibCheck: false,
			exactOptionalPropertyTypes: true,
			outDir: 'out',
		};
		writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({compilerOptions, files: ['program.mts']}));

		await run(app, join(root, 'node_modules', '.bin', 'tsc'));

		t.is(await run(app, process.execPath, join('out', 'program.mjs'), makeStateDir(t)), printed);
	});
}

test('its program runs through npx', async t => {
	const app = await install(t);

	t.is(await run(app, 'npx', '--no', name, '--', '--version'), `${version}\n`);
	t.regex(await run(app, 'npx', '--no', name, 'serve', '--help'), /--state-dir/);
});

/** Runs the program on a machine that says something else of itself. */
async function runElsewhere(t: ExecutionContext, facts: string): Promise<unknown> {
	const app = await install(t);
	writeFileSync(join(app, 'elsewhere.cjs'), facts);
	return t.throwsAsync(
		execute(process.execPath, ['--require', './elsewhere.cjs', join('node_modules', '.bin', name), 'serve'], {
			cwd: app,
			env: {PATH: [dirname(realpathSync(process.execPath)), '/usr/bin', '/bin'].join(delimiter)},
		}),
	);
}

test('on another platform it says so, and ends', async t => {
	t.like(await runElsewhere(t, "Object.defineProperty(process, 'platform', {value: 'darwin'});"), {
		code: 1,
		stdout: '',
		stderr: 'nohupd runs on Linux only; this is darwin\n',
	});
});

test('on a Node.js that is too old it says so, and ends', async t => {
	const facts = "Object.defineProperty(process, 'versions', {value: {...process.versions, node: '18.20.8'}});";

	t.like(await runElsewhere(t, facts), {
		code: 1,
		stdout: '',
		stderr: 'nohupd needs Node.js 20.19 or later; this is 18.20.8\n',
	});
});
