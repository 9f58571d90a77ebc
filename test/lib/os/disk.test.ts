import {statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {findPrograms} from '../../../lib/keeper/programs.js';
import {SystemDisk} from '../../../lib/os/disk.js';
import {makeTempDir} from '../../helpers/temp-dir.js';

const {fallocate} = findPrograms();
const holeTest = fallocate === null ? test.skip : test;

test('tells how much may be written', t => {
	const disk = new SystemDisk(makeTempDir(t), null);

	t.true(Number.isSafeInteger(disk.freeBytes()));
	t.true(disk.freeBytes() > 0);
});

holeTest('a hole gives blocks back and leaves size and rest as they are', async t => {
	const path = join(makeTempDir(t), 'file');
	writeFileSync(path, 'x'.repeat(1_048_576));
	const {blocks} = statSync(path);

	const isDone = await new SystemDisk('/', fallocate).punchHole(path, 1_000_000);

	// Where the tests run it need not be possible.
	t.is(statSync(path).size, 1_048_576);
	t.is(statSync(path).blocks < blocks / 2, isDone);
});

test('without the program, and with one that fails, no hole can be made', async t => {
	t.false(await new SystemDisk('/', null).punchHole('/nowhere', 1));
	t.false(await new SystemDisk('/', '/bin/false').punchHole('/nowhere', 1));
});

test('a program that does not run is another matter: it could run next time', async t => {
	await t.throwsAsync(new SystemDisk('/', '/nowhere/fallocate').punchHole('/nowhere', 1), {code: 'ENOENT'});
});
