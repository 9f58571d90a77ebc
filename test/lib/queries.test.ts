import test from 'ava';
import {ProcessNotFoundError, QueryInvalidError} from '../../lib/errors.js';
import type {OutputLog} from '../../lib/index.js';
import {toProcess} from '../../lib/process-view.js';
import {parseKillOptions, parseStartOptions, Queries} from '../../lib/queries.js';
import {anEndedProcess, aRunningProcess} from '../helpers/a-process.js';
import {FakeConfinement} from '../helpers/fake-confinement.js';
import {openMemoryStore} from '../helpers/memory-store.js';

/** Says how much of whose output it was asked for. */
class FakeOutputLog implements Pick<OutputLog, 'tail'> {
	tail(processId: string, maxBytes: number) {
		return {
			stdout: {text: `${maxBytes} of ${processId}`, totalBytes: 1, baseOffset: 0},
			stderr: {text: 'err', totalBytes: 2, baseOffset: 1},
		};
	}
}

function open(count = 0) {
	const store = openMemoryStore();
	for (let number = 1; number <= count; number++) {
		const {sequence, ...process} = anEndedProcess({processId: `proc_${number}`});
		store.adopt(process);
	}

	return {
		store,
		queries: new Queries(
			store,
			new FakeConfinement(),
			new FakeOutputLog(),
			{uptimeMs: () => 12_345, monotonicMs: () => 0},
			{current: process => process},
		),
	};
}

test('a process is shown with the last 64 KiB of its output', t => {
	const {store, queries} = open();
	const {sequence, ...process} = aRunningProcess();
	store.adopt(process);

	t.deepEqual(queries.get('proc_1', {}), {
		...toProcess(aRunningProcess()),
		// It began 10 s after boot.
		durationMs: 2345,
		usage: null,
		stdout: '65536 of proc_1',
		stderr: 'err',
		stdoutBytes: 1,
		stdoutDropped: 0,
		stderrDropped: 1,
		stderrBytes: 2,
	});
});

test('as much of the output is shown as was asked for', t => {
	const {queries} = open(1);

	t.deepEqual(
		[0, 1, 1_048_576].map(tailBytes => queries.get('proc_1', {tailBytes}).stdout),
		['0 of proc_1', '1 of proc_1', '1048576 of proc_1'],
	);
});

for (const id of ['proc_2', '', '../proc_1', 'proc_1\0', 5, null, {}]) {
	test(`a process that nobody knows is not found: ${JSON.stringify(id)}`, t => {
		const {queries} = open(1);

		const error = t.throws(() => queries.get(id as string, {}), {instanceOf: ProcessNotFoundError});

		t.is(error.message, `No process with id ${String(id)}`);
	});
}

test('a list shows the newest first, each with the last 8 KiB of its output', async t => {
	const {queries} = open(2);

	const {processes, nextCursor} = await queries.list({});

	t.deepEqual(
		processes.map(({processId, stdout}) => [processId, stdout]),
		[
			['proc_2', '8192 of proc_2'],
			['proc_1', '8192 of proc_1'],
		],
	);
	t.is(nextCursor, null);
});

test('a list is at most 1,000 long unless a limit says otherwise', async t => {
	const {queries} = open(1001);

	const {processes, nextCursor} = await queries.list({tailBytes: 0});

	t.is(processes.length, 1000);
	t.not(nextCursor, null);
});

test('the cursor of each page leads to the next, and no process is shown twice or left out', async t => {
	const {store, queries} = open(7);
	const pages: string[][] = [];
	for (let cursor: string | null | undefined; cursor !== null; ) {
		const page = await queries.list({limit: 3, cursor});
		pages.push(page.processes.map(({processId}) => processId));
		cursor = page.nextCursor;
		// New ones come at the other end.
		const {sequence, ...process} = anEndedProcess({processId: `proc_new_${pages.length}`});
		store.adopt(process);
	}

	t.deepEqual(pages, [['proc_7', 'proc_6', 'proc_5'], ['proc_4', 'proc_3', 'proc_2'], ['proc_1']]);
});

test('a page that just holds all has no next one', async t => {
	const {queries} = open(3);

	t.is((await queries.list({limit: 3})).nextCursor, null);
});

test('a long list lets others have their turn', async t => {
	const {queries} = open(200);
	let turns = 0;
	const count = () => {
		turns++;
		timer = setImmediate(count);
	};
	let timer = setImmediate(count);

	await queries.list({});
	clearImmediate(timer);

	t.true(turns >= 3);
});

const refuses = test.macro({
	async exec(t, ask: (options: object) => unknown, options: object, message: string) {
		const error = await t.throwsAsync(async () => ask(options), {instanceOf: QueryInvalidError});

		t.like(error, {field: message.split(' ')[0], message});
	},
	title: (_, __, options) => `an option that makes no sense is refused by name and value: ${JSON.stringify(options)}`,
});

const get = (options: object) => open(1).queries.get('proc_1', options);
const list = (options: object) => open().queries.list(options);
const kill = (options: object) => parseKillOptions(options);
const start = (options: object) => parseStartOptions(options);

test(refuses, get, {tailBytes: -1}, 'tailBytes must be a whole number from 0 to 1048576; got -1');
test(refuses, get, {tailBytes: 1_048_577}, 'tailBytes must be a whole number from 0 to 1048576; got 1048577');
test(refuses, get, {tailBytes: '5'}, 'tailBytes must be a whole number from 0 to 1048576; got "5"');
test(refuses, get, {tailBytes: 1.5}, 'tailBytes must be a whole number from 0 to 1048576; got 1.5');
test(refuses, list, {tailBytes: 65_537}, 'tailBytes must be a whole number from 0 to 65536; got 65537');
test(refuses, list, {limit: 0}, 'limit must be a whole number from 1 to 1000; got 0');
test(refuses, list, {limit: 1001}, 'limit must be a whole number from 1 to 1000; got 1001');
test(refuses, list, {status: 'done'}, 'status must be one of queued, running, completed, failed, killed; got "done"');
test(refuses, list, {name: 5}, 'name must be a string; got 5');
test(refuses, list, {cursor: 'x'}, 'cursor must be the cursor of another page; got "x"');
test(refuses, list, {cursor: '-1'}, 'cursor must be the cursor of another page; got "-1"');
test(refuses, list, {cursor: 5}, 'cursor must be a string; got 5');
test(refuses, kill, {gracePeriodMs: -1}, 'gracePeriodMs must be a whole number from 0 to 86400000; got -1');
test(refuses, kill, {gracePeriodMs: null}, 'gracePeriodMs must be a whole number from 0 to 86400000; got null');
test(refuses, start, {idempotencyKey: ''}, 'idempotencyKey must not be empty; got ""');
test(refuses, start, {idempotencyKey: 5}, 'idempotencyKey must be a string; got 5');
test(refuses, start, {owner: 5}, 'owner must be a string; got 5');
test(refuses, list, {owner: ''}, 'owner must not be empty; got ""');
test(refuses, get, {tailbytes: 1}, 'tailbytes is not known here; known are tailBytes');
test(refuses, kill, {grace: 0}, 'grace is not known here; known are gracePeriodMs, signal');
test(refuses, start, {idempotency: 'k'}, 'idempotency is not known here; known are idempotencyKey, owner');

test('an idempotency key may have 255 characters, and no more', t => {
	t.is(parseStartOptions({idempotencyKey: 'k'.repeat(255)}).idempotencyKey?.length, 255);

	const error = t.throws(() => parseStartOptions({idempotencyKey: 'k'.repeat(256)}), {instanceOf: QueryInvalidError});

	t.is(error.message, `idempotencyKey must be at most 255 characters; got "${'k'.repeat(80)}"`);
});
