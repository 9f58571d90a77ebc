import {spawnSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import test, {type ExecutionContext} from 'ava';
import {program} from '../helpers/command-line.js';
import {TestDaemon} from '../helpers/daemon.js';
import {whyNotAs} from '../helpers/other-user.js';
import {makeStateDir} from '../helpers/state-dir.js';

/** A number that no user of the machine has, as it is given to a container: it has no home directory. */
const uid = 54_321;
const problem = whyNotAs(uid);

function testAsNobody(title: string, body: (t: ExecutionContext) => Promise<void> | void): void {
	if (problem === null) {
		test(title, body);
	} else {
		test.skip(`${title} (skipped: ${problem})`, body);
	}
}

/** `nohupd` with nothing in its environment but this. */
function runAsNobody(words: readonly string[], env: NodeJS.ProcessEnv = {}) {
	const {status, stdout, stderr} = spawnSync(process.execPath, [program, ...words], {
		uid,
		gid: uid,
		cwd: '/',
		env,
		encoding: 'utf8',
	});
	return {status, stdout, stderr};
}

testAsNobody('who has no home directory is told to name one for the state', t => {
	for (const words of [['serve'], ['ps'], ['token'], ['doctor']]) {
		t.deepEqual(runAsNobody(words), {
			status: 1,
			stdout: '',
			stderr: 'NOHUPD_STATE_DIR must name a directory: this user has no home directory\n',
		});
	}
});

testAsNobody('with one, the daemon serves, and its commands run', async t => {
	const stateDir = makeStateDir(t, uid);
	const daemon = await TestDaemon.open(t, stateDir, {HOME: undefined}, uid);

	const {process_id: id} = await daemon.start({command: 'id -u; env | grep -c ^HOME='});
	await daemon.ask('GET', `/execute/processes/${id}/wait`);

	t.is((await daemon.get(id)).stdout, `${uid}\n0\n`);
	t.regex(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'), new RegExp(`^Uid:\\s${uid}\\s`, 'm'));
});

testAsNobody('whose home cannot be written is told so, by the start and by the doctor', t => {
	const env = {HOME: '/'};

	t.deepEqual(runAsNobody(['serve', '--port', '0'], env), {
		status: 1,
		stdout: '',
		stderr:
			"The state directory /.local/state/nohupd cannot be made (EACCES: permission denied, mkdir '/.local'): name another one\n",
	});
	const {status, stdout} = runAsNobody(['doctor'], env);
	t.is(status, 1);
	t.regex(stdout, /^problem +state directory +\/.local\/state\/nohupd cannot be made: nothing may be written in \/$/m);
});
