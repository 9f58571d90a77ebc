import test from 'ava';
import {type ShownProcess, TestDaemon} from '../helpers/daemon.js';
import {eventually} from '../helpers/eventually.js';
import {findProcesses} from '../helpers/processes.js';
import {makeStateDir} from '../helpers/state-dir.js';

const count = 20;

interface Expectation {
	readonly exitCode: number;
	readonly seconds: number;
}

/** Ends after 0.2 to 2.1 seconds with an exit code of its own. */
const expectations = Array.from(
	{length: count},
	(_, index): Expectation => ({exitCode: index, seconds: 0.2 + index / 10}),
);

test('20 commands outlive a daemon that is killed: output, exit codes and times of their ends are right', async t => {
	const stateDir = makeStateDir(t);
	const first = await TestDaemon.open(t, stateDir);
	const ids: string[] = [];
	for (const {exitCode, seconds} of expectations) {
		// The last line is the time of its end as the command itself saw it.
		const command = `for i in 1 2 3; do echo "line $i of ${exitCode}"; done; sleep ${seconds}; date +%s%3N; exit ${exitCode}`;
		const {process_id} = await first.start({command, name: `number ${exitCode}`});
		ids.push(process_id);
	}

	await eventually(
		() => first.list('?status=failed'),
		ended => ended.length > 3,
	);
	await first.end('SIGKILL');
	// The daemon comes back only after all others have ended, with nobody there to see it.
	await eventually(
		() => ids.flatMap(id => findProcesses(`NOHUPD_PROCESS_ID=${id}`)),
		alive => alive.length === 0,
	);
	// Whatever the daemon could still do is later than this.
	const backAt = Date.now();
	const second = await TestDaemon.open(t, stateDir);

	const shown = new Map((await second.list()).map(process => [process.process_id, process]));
	t.deepEqual(
		ids.map(id => summary(shown.get(id))),
		expectations.map(({exitCode}) => ({
			name: `number ${exitCode}`,
			status: exitCode === 0 ? 'completed' : 'failed',
			reason: 'exited',
			exitCode,
			output: [1, 2, 3].map(line => `line ${line} of ${exitCode}`),
		})),
	);
	for (const id of ids) {
		const completedAt = Date.parse(shown.get(id)?.completed_at ?? '');
		const sawItself = Number(shown.get(id)?.stdout.trim().split('\n').at(-1));
		t.true(completedAt >= sawItself && completedAt <= backAt, `${sawItself} ${completedAt} ${backAt}`);
	}
});

function summary(process: ShownProcess | undefined) {
	return {
		name: process?.name,
		status: process?.status,
		reason: process?.reason,
		exitCode: process?.exit_code,
		output: process?.stdout.split('\n').slice(0, 3),
	};
}

test('20: SIGTERM closes the daemon, twice does no harm, and commands run on', async t => {
	const stateDir = makeStateDir(t);
	const first = await TestDaemon.open(t, stateDir);
	const {process_id} = await first.start({command: 'sleep 1000', timeout: 0});

	const before = performance.now();
	const ended = first.end('SIGTERM');
	process.kill(first.pid, 'SIGTERM');
	const exitCode = await ended;
	const tookMs = performance.now() - before;
	const second = await TestDaemon.open(t, stateDir);

	t.log(`closed within ${Math.round(tookMs)} ms`);
	t.is(exitCode, 0);
	t.like(await second.get(process_id), {status: 'running', exit_code: null});
	await second.kill(process_id);
});
