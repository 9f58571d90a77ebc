import {mkdtempSync, realpathSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';

/** An empty directory of the test's own, removed at its end. */
export function makeTempDir(t: ExecutionContext): string {
	const path = mkdtempSync(join(realpathSync(tmpdir()), 'nohupd-test-'));
	t.teardown(() => rmSync(path, {recursive: true, force: true}));
	return path;
}
