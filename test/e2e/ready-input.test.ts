import test from 'ava';
import {TestDaemon} from '../helpers/daemon.js';
import {eventually} from '../helpers/eventually.js';
import {makeStateDir} from '../helpers/state-dir.js';

test('over HTTP, through a SIGKILL of the daemon: ready when its text is there, fed, and closed', async t => {
	const stateDir = makeStateDir(t);
	const first = await TestDaemon.open(t, stateDir);
	const {process_id: id} = await first.start({
		command: 'read -r word; echo "up: $word"; cat; exit 7',
		stdin: true,
		ready: {log: 'up: ', timeout: 60},
	});
	const path = `/execute/processes/${id}`;
	const early = await first.ask('GET', `${path}/ready?timeout=0`);

	await first.end('SIGKILL');
	const second = await TestDaemon.open(t, stateDir);
	const waiting = second.ask('GET', `${path}/ready`);
	const written = await second.ask('POST', `${path}/stdin`, {data: 'hello\nrest\n'});
	const ready = await waiting;
	const closed = await second.ask('DELETE', `${path}/stdin`);
	const ended = await eventually(
		() => second.get(id),
		({status}) => status !== 'running',
	);
	const late = await second.ask('POST', `${path}/stdin`, {data: 'x'});

	t.like(early, {status: 200, json: {status: 'running', ready_at: null, ready: {log: 'up: ', timeout: 60}}});
	t.deepEqual(written, {status: 200, json: {process_id: id, bytes: 11, closed: false}});
	t.regex(String((ready.json as {ready_at: unknown}).ready_at), /^\d{4}-.*Z$/);
	t.is(closed.status, 200);
	t.like(ended, {status: 'failed', exit_code: 7, stdout: 'up: hello\nrest\n'});
	t.like(late, {status: 409, json: {code: 'CONFLICT'}});
});
