import {spawn} from 'node:child_process';
import {randomInt, randomUUID} from 'node:crypto';
import {once} from 'node:events';
import {existsSync, readdirSync} from 'node:fs';
import {text} from 'node:stream/consumers';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {eventually} from '../helpers/eventually.js';
import {findProcesses} from '../helpers/processes.js';
import {cgroupOf, makeStateDir, openSupervisor} from '../helpers/state-dir.js';
import {listKept} from '../helpers/state-files.js';

const program = fileURLToPath(new URL('many-program.js', import.meta.url));
/** `NOHUPD_TEST_MANY=2000 npx ava test/faults/many.test.ts` is the long form. */
const count = Number(process.env['NOHUPD_TEST_MANY'] ?? 60);
/** The numbers come again with `NOHUPD_TEST_SEED`; what the machine does with them does not. */
const seed = Number(process.env['NOHUPD_TEST_SEED'] ?? randomInt(2 ** 31));

for (const containment of ['auto', 'session']) {
	test.serial(
		`of ${count} processes of all shapes, killed at random, nothing is left, containment ${containment}`,
		async t => {
			t.timeout(20_000 + 1000 * count);
			t.log(`seed ${seed}`);
			const stateDir = makeStateDir(t);

			const {exitCode, summary, marker} = await runProgram(t, stateDir, containment);

			t.log(summary);
			t.is(exitCode, 0);
			t.like(JSON.parse(summary), {running: 0, queued: 0, ended: count, descriptors: 0});
			t.deepEqual(findProcesses(marker), []);
			// Keeper and shims: the last of them leaves when it has written what it has to.
			await eventually(
				() => findProcesses(stateDir, 'cmdline'),
				found => found.length === 0,
			);
			t.false(existsSync(cgroupOf(stateDir)));
			await keepsWhatTheListSays(t, stateDir);
		},
	);
}

/** Settles when it has left by itself. */
async function runProgram(t: ExecutionContext, stateDir: string, containment: string) {
	const marker = `MANY=${randomUUID()}`;
	const child = spawn(process.execPath, [program, stateDir, containment, String(count), String(seed)], {
		stdio: ['ignore', 'pipe', 'inherit'],
		// Inherited by all commands; unlike the cookie it is one for all.
		env: {...process.env, MANY: marker.slice('MANY='.length)},
	});
	t.teardown(() => child.kill('SIGKILL'));
	const exited = once(child, 'exit');
	const summary = await text(child.stdout);
	const [exitCode] = await exited;
	return {exitCode, summary: summary.trim(), marker};
}

async function keepsWhatTheListSays(t: ExecutionContext, stateDir: string): Promise<void> {
	const kept = new Set(listKept(stateDir));
	const supervisor = await openSupervisor(t, {stateDir});
	const listed = new Set<string>();
	for (let cursor: string | null | undefined; cursor !== null; ) {
		const page = await supervisor.list({tailBytes: 0, cursor});
		for (const {processId} of page.processes) {
			listed.add(processId);
		}

		cursor = page.nextCursor;
	}

	t.deepEqual([...kept].sort(), [...listed].sort());
	const stray = readdirSync(stateDir).filter(
		name => !/^(nohupd\.db(-wal|-shm)?|keeper|lock(-journal)?|owner|records|runs|spare)$/.test(name),
	);
	t.deepEqual(stray, []);
	await supervisor.close();
}
