import {execFileSync} from 'node:child_process';
import {
	existsSync,
	linkSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {emptyRecord} from '../../../lib/keeper/record.js';
import {SpareDirectories} from '../../../lib/keeper/spare-directories.js';
import {eventually} from '../../helpers/eventually.js';
import {makeTempDir} from '../../helpers/temp-dir.js';

function open(t: ExecutionContext, stateDir = makeTempDir(t)) {
	const spares = new SpareDirectories(stateDir);
	t.teardown(() => spares.close());
	const place = join(stateDir, 'spare');
	const directory = join(stateDir, 'proc_1');
	const record = join(stateDir, 'record_1');
	return {
		stateDir,
		place,
		directory,
		record,
		take: (text = '# text\n') => spares.take(directory, record, text),
		/** Until there are so many. */
		made: (count: number) => eventually(() => spares.size === count),
		close: () => spares.close(),
	};
}

/** One that was made by a supervisor before. */
async function oneLeft(t: ExecutionContext) {
	const first = open(t);
	first.take();
	await first.made(1);
	await first.close();
	const [name = ''] = readdirSync(first.place);
	return {stateDir: first.stateDir, spare: join(first.place, name)};
}

test('where none is ready nothing is made in its place, but one for the next', async t => {
	const {directory, record, take, made} = open(t);

	t.false(take());
	await made(1);

	t.false(existsSync(directory));
	t.false(existsSync(record));
});

test('one that is taken has the specification and an empty record, and nobody else may read them', async t => {
	const {directory, record, take, made, close} = open(t);
	take();
	await made(1);

	t.true(take('# of this process\n'));
	await close();

	t.deepEqual(readdirSync(directory), ['spec']);
	t.is(readFileSync(join(directory, 'spec'), 'utf8'), '# of this process\n');
	t.is(readFileSync(record, 'utf8'), emptyRecord);
	t.deepEqual(
		[directory, join(directory, 'spec'), record].map(path => (statSync(path).mode & 0o777).toString(8)),
		['700', '600', '600'],
	);
});

test('a program that is served by one has one, and one that needs more at once has more', async t => {
	const {directory, record, take, made} = open(t);
	take();
	await made(1);
	take();
	await made(1);

	rmSync(directory, {recursive: true});
	rmSync(record);
	take();
	t.false(take());

	await made(2);
});

test('the next supervisor uses what is there, whatever a crash has left in it', async t => {
	const {stateDir, spare} = await oneLeft(t);
	writeFileSync(join(spare, 'spec'), '# of another process, and longer than ours\n');

	const {directory, take} = open(t, stateDir);

	t.true(take('# ours\n'));
	t.is(readFileSync(join(directory, 'spec'), 'utf8'), '# ours\n');
});

const refuses = test.macro({
	title: (about = '') => `refused, and removed: ${about}`,
	async exec(t, harm: (spare: string) => void) {
		const {stateDir, spare} = await oneLeft(t);
		harm(spare);

		const {directory, record, take} = open(t, stateDir);

		t.false(take());
		t.false(existsSync(spare));
		t.false(existsSync(directory));
		t.false(existsSync(record));
	},
});

test('one without a specification', refuses, spare => rmSync(join(spare, 'spec')));
test('one without a record', refuses, spare => rmSync(join(spare, 'record')));
test('one with a FIFO, which would swallow the specification', refuses, spare => {
	rmSync(join(spare, 'spec'));
	execFileSync('mkfifo', [join(spare, 'spec')]);
});
test('one with a directory', refuses, spare => {
	rmSync(join(spare, 'spec'));
	mkdirSync(join(spare, 'spec'));
});
test('one that is a file', refuses, spare => {
	rmSync(spare, {recursive: true});
	writeFileSync(spare, '');
});

test('one that is another name of a file of somebody', refuses, spare => {
	rmSync(join(spare, 'spec'));
	linkSync(join(spare, 'record'), join(spare, 'spec'));
});

const outlives = test.macro({
	title: (about = '') =>
		`where spares were there is now ${about}: a start makes its own, and the next ones are spares again`,
	async exec(t, harm: (place: string) => void) {
		const {stateDir} = await oneLeft(t);
		const running = open(t, stateDir);
		rmSync(running.place, {recursive: true});
		harm(running.place);

		t.false(running.take());
		await running.close();
		const next = open(t, stateDir);
		t.false(next.take());
		await next.made(1);

		t.true(next.take());
	},
});

test('a file', outlives, place => writeFileSync(place, ''));
test('a FIFO', outlives, place => execFileSync('mkfifo', [place]));
test('a link that leads nowhere', outlives, place => symlinkSync('/nowhere/at/all', place));

test('a specification never leaves the state directory through a link', async t => {
	const {stateDir, spare} = await oneLeft(t);
	const elsewhere = join(makeTempDir(t), 'elsewhere');
	writeFileSync(elsewhere, 'theirs');
	rmSync(join(spare, 'spec'));
	execFileSync('ln', ['-s', elsewhere, join(spare, 'spec')]);

	t.false(open(t, stateDir).take('# TOKEN=hunter2\n'));

	t.is(readFileSync(elsewhere, 'utf8'), 'theirs');
});

test('closed, nothing is made any more', async t => {
	const {stateDir, take, close} = open(t);
	take();

	await close();
	rmSync(stateDir, {recursive: true});
	await new Promise(setImmediate);

	t.false(existsSync(stateDir));
});
