import {fileURLToPath} from 'node:url';
import test from 'ava';
import Database from 'better-sqlite3';
import type {Clock} from '../../lib/index.js';
import {Agent} from '../helpers/agent-client.js';
import {TestDaemon} from '../helpers/daemon.js';
import {receiveEvents} from '../helpers/event-source.js';
import {eventually} from '../helpers/eventually.js';
import {makeGate} from '../helpers/gate.js';
import {makeStateDir, openSupervisor} from '../helpers/state-dir.js';
import {listKept} from '../helpers/state-files.js';
import {wrap} from '../helpers/wrap.js';

const script = fileURLToPath(new URL('self-killing-agent.js', import.meta.url));

/** Nobody wants to wait for a minute. */
const hasty = (clock: Clock) =>
	wrap(clock, {setTimer: (delayMs, callback) => clock.setTimer(Math.min(delayMs, 20), callback)});

function countRows(stateDir: string): Record<string, unknown> {
	const database = new Database(`${stateDir}/nohupd.db`, {readonly: true});
	try {
		const count = (table: string) => database.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
		return {processes: count('processes'), keys: count('idempotency_keys'), events: count('events')};
	} finally {
		database.close();
	}
}

test('18: of many commands no file, row or key is left outside retention, and what runs is not touched', async t => {
	const stateDir = makeStateDir(t);
	const gate = makeGate(stateDir);
	const supervisor = await openSupervisor(t, {stateDir, retention: {maxEnded: 5}, ports: {clock: hasty}});
	const {processId} = await supervisor.start({command: `${gate.wait}; exit 7`});
	const forgotten: string[] = [];
	supervisor.on('forgotten', ({process}) => forgotten.push(process.processId));
	const ids: string[] = [];
	for (let number = 0; number < 40; number++) {
		const started = await supervisor.start({command: 'echo out'}, {idempotencyKey: `key ${number}`});
		ids.push(started.processId);
		await supervisor.wait(started.processId);
	}

	await eventually(() => forgotten.length === 35);
	await eventually(() => listKept(stateDir).length === 12);
	const {processes} = await supervisor.list();
	gate.open();
	const ended = await supervisor.wait(processId);
	await supervisor.close();

	t.deepEqual(forgotten, ids.slice(0, 35));
	t.deepEqual(processes.map(process => process.processId).reverse(), [processId, ...ids.slice(35)]);
	t.is(ended.exitCode, 7);
	const {processes: rows, keys, events} = countRows(stateDir);
	t.true(Number(rows) <= 6 && Number(keys) <= 5);
	// Three of each that is kept, and the word that others were forgotten, as many as ended ones may be.
	t.true(Number(events) <= 6 * 3 + 36);
});

test('18: output that takes too much on the disk is given back, the oldest first', async t => {
	const stateDir = makeStateDir(t);
	const supervisor = await openSupervisor(t, {
		stateDir,
		output: {maxTotalBytes: 2_500_000},
		ports: {clock: hasty},
	});
	const ids: string[] = [];
	for (const size of [1_000_000, 1_000_000, 1_000_000, 10]) {
		const {processId} = await supervisor.start({command: `head -c ${size} /dev/zero`});
		ids.push(processId);
		await supervisor.wait(processId);
	}

	await eventually(async () => (await supervisor.list({tailBytes: 0})).processes.length === 3);

	const {processes} = await supervisor.list({tailBytes: 0});
	t.deepEqual(processes.map(({processId}) => processId).reverse(), ids.slice(1));
	t.is(listKept(stateDir).length, 6);
});

test('over HTTP: who waits is answered at the end; what is forgotten is nobody, and that is told', async t => {
	const stateDir = makeStateDir(t);
	const gate = makeGate(stateDir);
	const daemon = await TestDaemon.open(t, stateDir);
	const {process_id: id} = await daemon.start({command: `${gate.wait}; exit 3`});
	const path = `/execute/processes/${id}`;

	const early = await daemon.ask('GET', `${path}/wait?timeout=0.05`);
	const refused = await daemon.ask('DELETE', path);
	const waited = daemon.ask('GET', `${path}/wait`);
	gate.open();

	t.like(early, {status: 200, json: {status: 'running', exit_code: null}});
	t.like(refused, {status: 409, json: {code: 'CONFLICT'}});
	t.like(await waited, {status: 200, json: {status: 'failed', exit_code: 3}});
	t.like(await daemon.ask('DELETE', path), {status: 200, json: {process_id: id, status: 'forgotten'}});
	t.is((await daemon.ask('DELETE', path)).status, 404);
	t.is((await daemon.ask('GET', path)).status, 404);
	t.deepEqual(listKept(stateDir), []);
	const events = receiveEvents(t, `${daemon.url}/events?process_id=${id}`, daemon.token, {'last-event-id': '2'});
	t.like((await events.next()).value, {event: 'gap', data: {from: 3, to: 3}});
	t.like((await events.next()).value, {id: '4', event: 'forgotten', data: {process: {process_id: id, exit_code: 3}}});
	await events.return(undefined);
});

test('a process that was being forgotten when the agent was killed is not there any more, and no file of it', async t => {
	const stateDir = makeStateDir(t);
	const agent = await Agent.open(t, stateDir, {}, {script, env: {DIES: 'before the files were removed'}});
	const {processId} = await agent.start({command: 'echo out; exit 3'});
	await agent.wait(processId);
	void agent.call('forget', processId);
	t.is(await agent.gone(), 'SIGKILL');
	t.is(listKept(stateDir).length, 2);

	const supervisor = await openSupervisor(t, {stateDir});

	await eventually(() => listKept(stateDir).length === 0);
	t.deepEqual((await supervisor.list()).processes, []);
	for await (const item of supervisor.events({after: 3})) {
		t.like(item, {type: 'forgotten', process: {processId, exitCode: 3}});
		break;
	}
});
