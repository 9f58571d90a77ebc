import {chmodSync, writeFileSync} from 'node:fs';
import {join, relative} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {findPrograms} from '../../../lib/keeper/programs.js';
import {BashMissingError} from '../../../lib/opening-errors.js';
import {makeTempDir} from '../../helpers/temp-dir.js';

/** A directory with programs that print what they are told to. */
function makePrograms(t: ExecutionContext, programs: Readonly<Record<string, string>>): string {
	const directory = makeTempDir(t);
	for (const [name, prints] of Object.entries(programs)) {
		writeFileSync(join(directory, name), `#!/bin/sh\necho '${prints}'\n`);
		chmodSync(join(directory, name), 0o755);
	}

	return directory;
}

test('bash and env are found in the usual places, whatever PATH says', t => {
	const {bash, env} = findPrograms('');

	t.regex(bash, /^\/.*\/bash$/);
	t.regex(env, /^\/.*\/env$/);
});

test('PATH goes before the usual places', t => {
	const directory = makePrograms(t, {bash: '5', env: '', fallocate: '', mkfifo: ''});

	t.deepEqual(findPrograms(`/nowhere:${directory}`), {
		bash: join(directory, 'bash'),
		env: join(directory, 'env'),
		fallocate: join(directory, 'fallocate'),
		mkfifo: join(directory, 'mkfifo'),
	});
});

test('a bash before version 5, and one that is no bash, are passed over', t => {
	const old = makePrograms(t, {bash: '3'});
	const strange = makePrograms(t, {bash: 'hello'});
	const good = makePrograms(t, {bash: '5'});

	t.is(findPrograms(`${old}:${strange}:${good}`).bash, join(good, 'bash'));
});

test('a relative directory of PATH is not searched: it would be another one tomorrow', t => {
	const directory = makePrograms(t, {bash: '5', env: ''});

	const {bash, env} = findPrograms(relative('.', directory));

	t.true(bash.startsWith('/') && env.startsWith('/'));
});

test('where bash or env is missing, one sentence says so, where it was looked for and what helps', t => {
	const error = new BashMissingError('/usr/bin:/bin');

	t.is(
		error.message,
		'nohupd needs bash 5 or later and env, and did not find both in /usr/bin:/bin; try "apk add bash coreutils"',
	);
});
