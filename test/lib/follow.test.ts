import {writeFileSync} from 'node:fs';
import test from 'ava';
import {follow} from '../../lib/follow.js';
import {createSupervisor, ShuttingDownError} from '../../lib/index.js';
import {firstGap, followText, nextChunk} from '../helpers/output.js';
import {makeStateDir, openSupervisor} from '../helpers/state-dir.js';
import {besides} from '../helpers/state-files.js';

test('both streams are followed from the first byte to the end of the process', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: 'for i in {1..2000}; do echo $i; echo -$i >&2; done'});

	const text = await followText(supervisor.output(processId));

	const numbers = Array.from({length: 2000}, (_, index) => `${index + 1}\n`);
	t.deepEqual(text, {stdout: numbers.join(''), stderr: numbers.map(number => `-${number}`).join('')});
});

test('what is written comes at once, while the process runs on', async t => {
	const supervisor = await openSupervisor(t);
	const go = besides(supervisor.stateDir, 'go');
	const command = `echo one; until [ -e '${go}' ]; do read -t 0.01 <> <(:); done; echo two >&2; read -t 60 <> <(:)`;
	const {processId} = await supervisor.start({command});
	const chunks = supervisor.output(processId).follow();

	const first = await nextChunk(chunks);
	writeFileSync(go, '');
	const second = await nextChunk(chunks);

	t.like(first, {stream: 'stdout', offset: 0, nextOffset: 4, gap: null});
	t.like(second, {stream: 'stderr', offset: 0, nextOffset: 4, gap: null});
	t.is(Buffer.from(second.bytes).toString(), 'two\n');
});

test('one stream alone, from an offset on', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: 'printf 0123456789; echo err >&2'});

	const text = await followText(supervisor.output(processId), {stream: 'stdout', from: {stdout: 7}});

	t.deepEqual(text, {stdout: '789', stderr: ''});
});

test('one that waits for its turn is followed from its first byte', async t => {
	const supervisor = await openSupervisor(t, {maxRunning: 1});
	const first = await supervisor.start({command: 'read -t 60 <> <(:)'});
	const second = await supervisor.start({command: 'echo its turn'});
	t.is(second.status, 'queued');

	const following = followText(supervisor.output(second.processId));
	await supervisor.kill(first.processId, {gracePeriodMs: 0});

	t.deepEqual(await following, {stdout: 'its turn\n', stderr: ''});
});

test('a process that never ran has no output, and that ends too', async t => {
	const supervisor = await openSupervisor(t, {maxRunning: 1});
	await supervisor.start({command: 'read -t 60 <> <(:)'});
	const {processId} = await supervisor.start({command: 'echo never'});

	const following = followText(supervisor.output(processId));
	await supervisor.kill(processId);

	t.deepEqual(await following, {stdout: '', stderr: ''});
});

test('descendants that write on do not keep a follower', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: 'while :; do echo more; done & echo mine; exit 0'});

	const {stdout} = await followText(supervisor.output(processId));

	t.regex(stdout, /mine/);
	await supervisor.kill(processId, {gracePeriodMs: 0});
});

test('what is written after the end is not followed, however much that is', async t => {
	const written = {baseOffset: 0, totalBytes: 100};
	const none = new AbortController().signal;
	let offsets = '';

	const chunks = follow({
		output: {
			watch: () => () => undefined,
			extent: () => written,
		},
		reads: {
			read: async (_stream, offset, limit) => {
				const bytes = Buffer.alloc(Math.min(limit, 40));
				return {...written, offset, nextOffset: offset + bytes.length, bytes, gap: null};
			},
		},
		bus: {follow: () => () => undefined},
		hasEnded: () => true,
		processId: 'proc_1',
		stream: 'stdout',
		from: {stdout: 0, stderr: 0},
		signal: none,
		closing: none,
	});
	for await (const {offset, nextOffset} of chunks) {
		offsets += `${offset}-${nextOffset} `;
	}

	t.is(offsets, '0-40 40-80 80-100 ');
});

test('a follower is told of what was dropped before it came', async t => {
	const supervisor = await openSupervisor(t, {output: {maxStreamBytes: 65_536}});
	const {processId} = await supervisor.start({command: 'head -c 200000 /dev/zero; read -t 60 <> <(:)'});
	const {gap} = await firstGap(supervisor.output(processId));

	const chunk = await nextChunk(supervisor.output(processId).follow());

	t.deepEqual(chunk.gap, gap);
	t.like(chunk, {offset: gap?.to, nextOffset: 200_000});
});

test('a signal ends it without an error, and whoever leaves is forgotten', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: 'echo one; read -t 60 <> <(:)'});
	const leaving = new AbortController();
	const chunks = supervisor.output(processId).follow({signal: leaving.signal});
	await nextChunk(chunks);

	const rest = chunks.next();
	leaving.abort();

	t.deepEqual(await rest, {value: undefined, done: true});
	const late = supervisor.output(processId).follow({signal: leaving.signal});
	t.deepEqual(await late.next(), {value: undefined, done: true});
});

test('a supervisor that closes tells its followers, and the next one goes on from their offsets', async t => {
	const stateDir = makeStateDir(t);
	const go = besides(stateDir, 'go');
	const first = await createSupervisor({stateDir});
	const command = `echo one; until [ -e '${go}' ]; do read -t 0.01 <> <(:); done; echo two`;
	const {processId} = await first.start({command});
	const chunks = first.output(processId).follow();
	const {nextOffset} = await nextChunk(chunks);

	const rest = chunks.next();
	await first.close();
	await t.throwsAsync(rest, {instanceOf: ShuttingDownError});
	writeFileSync(go, '');
	const second = await openSupervisor(t, {stateDir});

	t.deepEqual(await followText(second.output(processId), {from: {stdout: nextOffset}}), {stdout: 'two\n', stderr: ''});
});
