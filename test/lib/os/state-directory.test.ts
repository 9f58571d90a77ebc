import {chmodSync, chownSync, mkdirSync, statSync, symlinkSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {StateDirMissingError, StateDirUnsafeError} from '../../../lib/opening-errors.js';
import {openStateDirectory} from '../../../lib/os/state-directory.js';
import {makeTempDir} from '../../helpers/temp-dir.js';

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

test('a directory that is missing is made, for nobody else', t => {
	const path = join(makeTempDir(t), 'a/b/c');
	const umask = process.umask(0);

	const stateDir = openStateDirectory(path);
	process.umask(umask);

	t.is(stateDir, path);
	t.is(mode(path), '700');
});

test('one that cannot be made is told by a sentence with its path and the reason', t => {
	const error = t.throws(() => openStateDirectory('/proc/nohupd/state'), {instanceOf: StateDirMissingError});

	t.regex(error.message, /^The state directory \/proc\/nohupd\/state cannot be made \(ENOENT: .*\): name another one$/);
});

test('a directory that others may read is closed to them', t => {
	const path = join(makeTempDir(t), 'state');
	mkdirSync(path);
	chmodSync(path, 0o755);

	openStateDirectory(path);

	t.is(mode(path), '700');
});

for (const [who, bits] of Object.entries({'its group': 0o770, others: 0o702, everybody: 0o777})) {
	test(`a directory that ${who} may write is refused, by a sentence with its mode`, t => {
		const path = join(makeTempDir(t), 'state');
		mkdirSync(path);
		chmodSync(path, bits);

		const error = t.throws(() => openStateDirectory(path), {instanceOf: StateDirUnsafeError});

		t.is(error.message, `The state directory ${path} may be written by others (mode ${bits.toString(8)}): make it 700`);
		t.is(mode(path), bits.toString(8));
	});
}

test("a directory that is somebody else's is refused", t => {
	const isRoot = process.geteuid?.() === 0;
	const path = isRoot ? join(makeTempDir(t), 'state') : '/usr';
	if (isRoot) {
		mkdirSync(path, {mode: 0o700});
		chownSync(path, 65_534, 65_534);
	}

	const error = t.throws(() => openStateDirectory(path), {instanceOf: StateDirUnsafeError});

	t.regex(error.message, /belongs to user \d+, not to the one that runs this$/);
});

test('a link is followed, and the real path is given', t => {
	const directory = makeTempDir(t);
	mkdirSync(join(directory, 'real'));
	symlinkSync('real', join(directory, 'link'));

	t.is(openStateDirectory(join(directory, 'link')), join(directory, 'real'));
	t.is(mode(join(directory, 'real')), '700');
});
