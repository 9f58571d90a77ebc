import {spawnSync} from 'node:child_process';
import {mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {StorageFullError} from '../../../lib/errors.js';
import {emptyRecord} from '../../../lib/keeper/record.js';
import {RunDirectories} from '../../../lib/keeper/run-directory.js';
import {specify} from '../../../lib/keeper/specification.js';
import {aQueuedProcess, aStop} from '../../helpers/a-process.js';
import {makeTempDir} from '../../helpers/temp-dir.js';

const programs = {bash: '/bin/bash', env: '/usr/bin/env', fallocate: null, mkfifo: null};

function specified(line = 'true') {
	const {sequence, ...process} = aQueuedProcess({command: {line}});
	return {
		process,
		specification: specify(process, new Map([['TOKEN', 'hunter2']]), {
			linePath: '/line',
			gracePeriodMs: 5000,
			programs,
		}),
	};
}

const longLine = `: ${'x'.repeat(200_000)}`;

/** All that is in a directory, with the mode of each; deepest last. */
function modes(directory: string): Record<string, string> {
	const paths = ['.', ...(readdirSync(directory, {recursive: true}) as string[]).sort()];
	return Object.fromEntries(paths.map(path => [path, (statSync(join(directory, path)).mode & 0o777).toString(8)]));
}

test('nothing of a process is readable for others, whatever the umask', t => {
	const stateDir = makeTempDir(t);
	const umask = process.umask(0);
	try {
		const directories = new RunDirectories(stateDir);
		directories.create('proc_1', specified(longLine).specification);
		directories.takeClaim('proc_1');
	} finally {
		process.umask(umask);
	}

	t.deepEqual(modes(stateDir), {
		'.': '700',
		records: '700',
		'records/proc_1': '600',
		runs: '700',
		'runs/proc_1': '700',
		'runs/proc_1/claim': '600',
		'runs/proc_1/line': '600',
		'runs/proc_1/spec': '600',
		spare: '700',
	});
});

test('a new process has an empty record and a specification that can be read back', t => {
	const stateDir = makeTempDir(t);
	const directories = new RunDirectories(stateDir);
	const {process, specification} = specified();

	directories.create('proc_1', specification);

	t.deepEqual(directories.list(), ['proc_1']);
	t.deepEqual(directories.readSpecification('proc_1'), process);
	t.is(readFileSync(join(stateDir, 'records/proc_1'), 'latin1'), emptyRecord);
});

test('a shell line too long for an argument is read back from its own file', t => {
	const directories = new RunDirectories(makeTempDir(t));
	const {process, specification} = specified(longLine);

	directories.create('proc_1', specification);

	t.deepEqual(directories.readSpecification('proc_1'), process);
});

test('the directories of an earlier supervisor are taken over as they are', t => {
	const stateDir = makeTempDir(t);
	new RunDirectories(stateDir).create('proc_1', specified().specification);

	t.deepEqual(new RunDirectories(stateDir).list(), ['proc_1']);
});

test('what is not a process of ours is not listed', t => {
	const stateDir = makeTempDir(t);
	const directories = new RunDirectories(stateDir);
	for (const name of ['lost+found', '.proc_1', 'proc_', 'proc_1.tmp']) {
		mkdirSync(join(stateDir, 'runs', name));
	}

	t.deepEqual(directories.list(), []);
});

test('the supervisor gets a claim that nobody has, once', t => {
	const directories = new RunDirectories(makeTempDir(t));
	directories.create('proc_1', specified().specification);

	t.deepEqual(
		[directories.readClaim('proc_1'), directories.takeClaim('proc_1'), directories.takeClaim('proc_1')],
		[{by: 'nobody'}, true, false],
	);
	t.deepEqual(directories.readClaim('proc_1'), {by: 'supervisor'});
});

test('a claim whose directory somebody removed is got: no shim can take it either', t => {
	const stateDir = makeTempDir(t);
	const directories = new RunDirectories(stateDir);
	directories.create('proc_1', specified().specification);
	rmSync(join(stateDir, 'runs/proc_1'), {recursive: true});

	t.true(directories.takeClaim('proc_1'));
	t.deepEqual(directories.readClaim('proc_1'), {by: 'nobody'});
});

test('the claim of a shim tells who it is, and cannot be taken from it', t => {
	const stateDir = makeTempDir(t);
	const directories = new RunDirectories(stateDir);
	directories.create('proc_1', specified().specification);
	writeFileSync(join(stateDir, 'runs/proc_1/claim'), '4710 999 0123abcd\n');

	t.false(directories.takeClaim('proc_1'));
	t.deepEqual(directories.readClaim('proc_1'), {
		by: 'shim',
		identity: {pid: 4710, startTicks: 999, bootId: '0123abcd'},
	});
});

for (const content of ['', '4710 999', '4710 999 0123abc\n', 'somebody\n', '\0\0\0']) {
	test(`a claim that says ${JSON.stringify(content)} is taken, nobody knows by whom`, t => {
		const stateDir = makeTempDir(t);
		const directories = new RunDirectories(stateDir);
		directories.create('proc_1', specified().specification);
		writeFileSync(join(stateDir, 'runs/proc_1/claim'), content);

		t.false(directories.takeClaim('proc_1'));
		t.deepEqual(directories.readClaim('proc_1'), {by: 'unknown'});
	});
}

test('a record that somebody removed tells nothing, and can be closed all the same', t => {
	const stateDir = makeTempDir(t);
	const directories = new RunDirectories(stateDir);
	directories.create('proc_1', specified().specification);
	rmSync(join(stateDir, 'records/proc_1'));

	directories.closeRecord('proc_1', 1_767_225_600_500);

	t.deepEqual(directories.readRecord('proc_1'), {start: null, end: null, stop: null, leftoverStop: null});
});

test('a record that was closed has an end, and what it told before', t => {
	const stateDir = makeTempDir(t);
	const directories = new RunDirectories(stateDir);
	directories.create('proc_1', specified().specification);
	const record = join(stateDir, 'records/proc_1');
	writeFileSync(record, 'S    4711        1000    4710    4700 1767225600000123 0123abcd', {flag: 'r+'});

	directories.closeRecord('proc_1', 1_767_225_600_500);

	const {start, end} = directories.readRecord('proc_1');
	t.is(start?.identity.pid, 4711);
	t.like(end, {exitCode: null, endedAt: 1_767_225_600_500, why: 'lost'});
	t.is(statSync(record).size, 128);
});

test('a kill that was ordered stands in the record, within the room that was made for it', t => {
	const stateDir = makeTempDir(t);
	const directories = new RunDirectories(stateDir);
	directories.create('proc_1', specified().specification);

	directories.orderStop('proc_1', aStop);
	directories.orderStop('proc_1', {...aStop, isSignaled: true});
	directories.orderStop('proc_unknown', aStop);

	const {isBlocked, ...order} = aStop;
	t.deepEqual(directories.readRecord('proc_1').stop, {...order, isSignaled: true});
	t.is(statSync(join(stateDir, 'records/proc_1')).size, 128);
});

test('a specification that is cut short cannot be read', t => {
	const stateDir = makeTempDir(t);
	const directories = new RunDirectories(stateDir);
	directories.create('proc_1', specified().specification);
	truncateSync(join(stateDir, 'runs/proc_1/spec'), 40);

	t.is(directories.readSpecification('proc_1'), null);
	t.is(directories.readSpecification('proc_2'), null);
});

test('output takes what it takes on the disk: holes take nothing', t => {
	const stateDir = makeTempDir(t);
	const directories = new RunDirectories(stateDir);
	directories.create('proc_1', specified(longLine).specification);
	t.is(directories.outputBytes('proc_1'), 0);

	writeFileSync(join(stateDir, 'runs/proc_1/stdout'), Buffer.alloc(100_000, 'x'));
	writeFileSync(join(stateDir, 'runs/proc_1/stderr'), '');
	truncateSync(join(stateDir, 'runs/proc_1/stderr'), 10_000_000);

	const bytes = directories.outputBytes('proc_1');
	t.true(bytes >= 100_000 && bytes < 1_000_000, String(bytes));
	t.is(directories.outputBytes('proc_2'), 0);
});

test('nothing is left of what was removed; once more does no harm', t => {
	const stateDir = makeTempDir(t);
	const directories = new RunDirectories(stateDir);
	directories.create('proc_1', specified(longLine).specification);
	directories.takeClaim('proc_1');

	directories.remove('proc_1');
	directories.remove('proc_1');

	t.deepEqual(Object.keys(modes(stateDir)), ['.', 'records', 'runs', 'spare']);
});

test('nothing is left after a failure half-way', t => {
	const stateDir = makeTempDir(t);
	const directories = new RunDirectories(stateDir);
	rmSync(join(stateDir, 'records'), {recursive: true});

	t.throws(() => directories.create('proc_1', specified().specification), {code: 'ENOENT'});

	t.deepEqual(readdirSync(join(stateDir, 'runs')), []);
});

/** A file system of one size, in memory; gone at the end of the test. */
function mountSmallDisk(t: ExecutionContext, size: string): string {
	const path = makeTempDir(t);
	spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', path]);
	t.teardown(() => spawnSync('umount', [path]));
	return path;
}

const mayMount = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
const onSmallDisk = mayMount ? test : test.skip;

onSmallDisk('nothing is left after a disk was full half-way, and the error says what was full (needs root)', t => {
	const stateDir = mountSmallDisk(t, '64k');
	const directories = new RunDirectories(stateDir);

	const error = t.throws(() => directories.create('proc_1', specified(longLine).specification), {
		instanceOf: StorageFullError,
	});

	t.true(error.message.includes(stateDir));
	t.deepEqual(Object.keys(modes(stateDir)), ['.', 'records', 'runs', 'spare']);
});
