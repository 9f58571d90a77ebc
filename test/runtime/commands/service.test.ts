import {execFile} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import test from 'ava';
import {makeTempDir} from '../../helpers/temp-dir.js';

const program = fileURLToPath(new URL('../../../runtime/main.js', import.meta.url));
const run = promisify(execFile);

function nohupd(words: readonly string[], env: NodeJS.ProcessEnv = {}) {
	return run(process.execPath, [program, 'service', ...words], {env: {...process.env, ...env}});
}

test('print shows both units, and where they belong', async t => {
	const {stdout} = await nohupd(['print', '--run-as', 'agent']);

	t.regex(stdout, /^# \/etc\/systemd\/system\/nohupd\.service$/m);
	t.regex(stdout, /^# \/etc\/systemd\/system\/nohupd\.socket$/m);
	t.regex(stdout, /^User=agent$/m);
	t.regex(stdout, /^ListenStream=127\.0\.0\.1:7777$/m);
});

test('install --user puts them where systemd of the user looks, also where it cannot be told', async t => {
	const home = makeTempDir(t);

	const {stdout} = await nohupd(['install', '--user'], {XDG_CONFIG_HOME: home, XDG_RUNTIME_DIR: home});

	t.regex(stdout, /systemctl --user enable --now nohupd\.socket nohupd\.service/);
	t.regex(readFileSync(join(home, 'systemd/user/nohupd.service'), 'utf8'), /^KillMode=process$/m);
	t.regex(readFileSync(join(home, 'systemd/user/nohupd.socket'), 'utf8'), /^ListenStream=/m);
});

test('a user that is not there is named before anything is written', async t => {
	const {stderr, code} = await nohupd(['install', '--run-as', 'nobody-at-all']).catch(error => error);

	t.is(code, 1);
	t.regex(stderr, /^There is no user nobody-at-all: make one \(useradd .*\), or name another with --run-as\n$/);
});
