import test from 'ava';
import {ProcessNotFoundError, QueryInvalidError, type ReadOptions, ShuttingDownError} from '../../lib/index.js';
import {firstGap} from '../helpers/output.js';
import {openSupervisor} from '../helpers/state-dir.js';

test('a part of a stream is read exactly, with where it is', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: "printf 'a\\xff\\x00bc'; echo err >&2"});
	await supervisor.wait(processId);

	const {bytes, ...where} = await supervisor.output(processId).read({offset: 1, limit: 2});
	const stderr = await supervisor.output(processId).read({stream: 'stderr'});

	t.deepEqual([...bytes], [0xff, 0x00]);
	t.deepEqual(where, {
		stream: 'stdout',
		offset: 1,
		nextOffset: 3,
		totalBytes: 5,
		baseOffset: 0,
		gap: null,
		isEnd: false,
	});
	t.like(stderr, {stream: 'stderr', offset: 0, nextOffset: 4, isEnd: true});
});

test('the end can be asked for, however much that is', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: 'printf 0123456789'});
	await supervisor.wait(processId);
	const read = async (options: ReadOptions) => {
		const {bytes, offset, isEnd} = await supervisor.output(processId).read(options);
		return [Buffer.from(bytes).toString(), offset, isEnd];
	};

	t.deepEqual(await read({tail: 3}), ['789', 7, true]);
	t.deepEqual(await read({tail: 3, limit: 2}), ['78', 7, false]);
	t.deepEqual(await read({tail: 100}), ['0123456789', 0, true]);
	t.deepEqual(await read({tail: 0}), ['', 10, true]);
});

test('who asks for more than there is goes on at the end, and misses nothing', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: 'printf 0123456789'});
	await supervisor.wait(processId);

	const ahead = await supervisor.output(processId).read({offset: Number.MAX_SAFE_INTEGER});

	t.like(ahead, {offset: 10, nextOffset: 10, gap: null, isEnd: true});
});

test('while a process runs there may be more: its end is not the end of its output', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: 'read -t 60 <> <(:)'});

	t.false((await supervisor.output(processId).read()).isEnd);
});

const refuses = test.macro({
	async exec(t, options: object, message: string) {
		const supervisor = await openSupervisor(t);
		const {processId} = await supervisor.start({command: 'true'});

		await t.throwsAsync(supervisor.output(processId).read(options), {instanceOf: QueryInvalidError, message});
	},
	title: (_, options) => `refused: ${JSON.stringify(options)}`,
});

test(refuses, {stream: 'stdin'}, 'stream must be stdout or stderr; got "stdin"');
test(refuses, {ofset: 1}, 'ofset is not known here; known are stream, offset, tail, limit');
test(refuses, {offset: -1}, 'offset must be a whole number from 0 to 9007199254740991; got -1');
test(refuses, {limit: 0}, 'limit must be a whole number from 1 to 1048576; got 0');
test(refuses, {offset: 1, tail: 1}, 'tail cannot be given together with offset');

test('a process that is not known is told when it is read or followed', async t => {
	const output = (await openSupervisor(t)).output('proc_unknown');

	await t.throwsAsync(output.read(), {instanceOf: ProcessNotFoundError});
	await t.throwsAsync(output.follow().next(), {instanceOf: ProcessNotFoundError});
});

test('after the close nothing is read', async t => {
	const supervisor = await openSupervisor(t);
	const {processId} = await supervisor.start({command: 'true'});
	const output = supervisor.output(processId);

	await supervisor.close();

	await t.throwsAsync(output.read(), {instanceOf: ShuttingDownError});
	await t.throwsAsync(output.follow().next(), {instanceOf: ShuttingDownError});
});

test('what was dropped of a process is shown with it', async t => {
	const supervisor = await openSupervisor(t, {output: {maxStreamBytes: 65_536}});
	const {processId} = await supervisor.start({command: 'head -c 200000 /dev/zero; read -t 60 <> <(:)'});

	const {gap} = await firstGap(supervisor.output(processId));
	const shown = await supervisor.get(processId);

	t.like(shown, {stdoutBytes: 200_000, stdoutDropped: gap?.to, stderrDropped: 0});
});
