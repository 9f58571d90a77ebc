import {readdirSync, rmSync, statSync, truncateSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {openDatabase, readMigrations} from '../../lib/sqlite/database.js';
import {Agent} from '../helpers/agent-client.js';
import {eventually} from '../helpers/eventually.js';
import {makeGate} from '../helpers/gate.js';
import {migrationsDir} from '../helpers/memory-store.js';
import {RecordingLogger} from '../helpers/recording-logger.js';
import {makeStateDir, openSupervisor} from '../helpers/state-dir.js';
import {besides, editDatabase, readLines, readRecord} from '../helpers/state-files.js';

const damages: Record<string, (database: string) => void> = {
	'whose file was overwritten': database => writeFileSync(database, 'no database '.repeat(10_000)),
	'that was removed': database => rmSync(database),
	'whose file was cut off': database => truncateSync(database, statSync(database).size / 2),
};

test('33: an agent that is killed while it rebuilds the list loses nothing that waited', async t => {
	const stateDir = makeStateDir(t);
	const gate = makeGate(stateDir);
	const agent = await Agent.open(t, stateDir, {maxRunning: 1});
	await agent.start({command: gate.wait});
	const queued = await agent.start({command: 'echo ran', name: 'queued'});
	await agent.kill();
	rmSync(join(stateDir, 'nohupd.db'));
	// As far as it comes before the list is in the new database.
	const {database} = openDatabase(join(stateDir, 'nohupd.db'), readMigrations(migrationsDir), new RecordingLogger());
	database.close();

	const supervisor = await openSupervisor(t, {stateDir});
	gate.open();

	t.like(await supervisor.wait(queued.processId), {name: 'queued', status: 'completed'});
});

for (const [title, damage] of Object.entries(damages)) {
	test(`33: a database ${title} costs nothing: the list is rebuilt while commands run`, async t => {
		const stateDir = makeStateDir(t);
		const gate = makeGate(stateDir);
		const runs = besides(stateDir, 'runs');
		const note = `echo "$NOHUPD_PROCESS_ID" >>'${runs}'`;
		const agent = await Agent.open(t, stateDir, {maxRunning: 2});
		const done = await agent.start({command: `${note}; echo out; exit 3`, name: 'done'});
		await agent.wait(done.processId);
		const running = await agent.start({command: `${note}; ${gate.wait}; exit 4`, name: 'running', timeoutMs: 60_000});
		const ending = await agent.start({command: `${note}; ${gate.wait}; exit 5`, name: 'ending'});
		const queued = await agent.start({command: note, name: 'queued'});
		await agent.kill();
		// From here on that one ends without an agent.
		process.kill(Number(ending.pid), 'SIGTERM');
		await eventually(() => /^E/m.test(readRecord(stateDir, ending.processId)));
		// Into the file itself with all that stands in the journal: it would make good for the damage.
		editDatabase(stateDir, 'UPDATE processes SET name = name');
		damage(join(stateDir, 'nohupd.db'));

		const supervisor = await openSupervisor(t, {stateDir});
		const {processes} = await supervisor.list();
		gate.open();
		await supervisor.wait(queued.processId);

		t.deepEqual(
			processes.map(({name}) => name),
			['queued', 'ending', 'running', 'done'],
		);
		t.like(await supervisor.get(done.processId), {
			executionId: done.executionId,
			createdAt: done.createdAt,
			startedAt: done.startedAt,
			status: 'failed',
			exitCode: 3,
			stdout: 'out\n',
		});
		t.like(processes[2], {status: 'running', pid: running.pid, startedAt: running.startedAt, timeoutMs: 60_000});
		t.like(await supervisor.wait(running.processId), {status: 'failed', exitCode: 4});
		t.like(processes[1], {status: 'failed', signal: 'SIGTERM'});
		t.deepEqual(readLines(runs).sort(), processes.map(({processId}) => processId).sort());
		t.is(
			readdirSync(stateDir).filter(name => /^nohupd\.db\.damaged-\d{4}-\d\d-\d\dT[\d-]+Z$/.test(name)).length,
			title === 'that was removed' ? 0 : 1,
		);
	});
}
