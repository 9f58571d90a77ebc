import {type ChildProcess, execFile, spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {existsSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {makeTestCgroup, whyNoCgroup} from './cgroups.js';
import {eventually} from './eventually.js';
import {readProc} from './processes.js';
import {makeTempDir} from './temp-dir.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const script = `${root}test/helpers/systemd-box.sh`;
const run = promisify(execFile);

/**
 * The system that is booted: this machine's own, or another one in a directory, with a systemd that is newer:
 *   debootstrap --variant=minbase --include=systemd,libpam-systemd,dbus,iproute2,perl,procps,libstdc++6 trixie DIRECTORY
 */
const system = process.env['NOHUPD_TEST_SYSTEMD_ROOT'] ?? '/';

/** How node and the program are called inside. */
export const boxNode = '/usr/local/bin/node';
export const boxPackage = '/opt/nohupd';
export const boxProgram = `${boxPackage}/dist/runtime/main.js`;

/** Namespaces of its own for everything that it could change. */
const unshare = ['--pid', '--mount', '--uts', '--ipc', '--net', '--cgroup', '--fork', '--propagation', 'private'];
const obstacle = findObstacle();

/** A test that boots a systemd: skipped where that cannot be, and its title says why. */
export function testWithSystemd(title: string, work: (t: ExecutionContext) => Promise<void>): void {
	if (obstacle === null) {
		// One after the other: each is a small machine.
		test.serial(title, work);
	} else {
		test.skip(`${title} (skipped: ${obstacle})`, work);
	}
}

/** What a request was answered with; `status` 0: the connection was refused or cut off. */
export interface BoxAnswer {
	readonly status: number;
	readonly text: string;
	readonly error?: string;
}

/** A real systemd, with everything that runs under it in namespaces of its own. Gone with the test. */
export class SystemdBox {
	readonly #waiting: ((answer: BoxAnswer) => void)[] = [];
	#client: ChildProcess | null = null;

	private constructor(
		private readonly t: ExecutionContext,
		private readonly pid: number,
	) {}

	static async boot(t: ExecutionContext): Promise<SystemdBox> {
		const place = makeTempDir(t);
		const cgroup = makeTestCgroup(t);
		const enter = 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"';
		// Nothing of it outlives this process, however that ends.
		const wrapped = ['setpriv', '--pdeathsig', 'KILL', 'unshare', ...unshare, '--kill-child=KILL'];
		const words = ['-c', enter, 'bash', cgroup, ...wrapped, 'bash', script, place, root, process.execPath, system];
		const child = spawn('bash', words, {stdio: ['ignore', 'pipe', 'pipe']});
		const console: string[] = [];
		for (const stream of [child.stdout, child.stderr]) {
			createInterface({input: stream}).on('line', line => console.push(line));
		}

		t.teardown(async () => {
			child.kill('SIGKILL');
			await once(child, 'close');
		});
		const pid = await eventually(() => Number(readProc(child.pid ?? 0, `task/${child.pid}/children`).split(' ')[0]));
		const box = new SystemdBox(t, pid);
		t.teardown(async () => {
			if (!t.passed) {
				t.log([...console, await box.try('journalctl', '--no-pager', '--lines=60')].join('\n'));
			}
		});
		await eventually(async () => (await box.try('systemctl', 'is-active', 'box.target')) === 'active');
		return box;
	}

	/** Runs a program inside and gives what it printed. Rejects where it fails. */
	async run(...words: readonly string[]): Promise<string> {
		const {stdout} = await run('nsenter', ['-t', String(this.pid), '-a', ...words], {cwd: '/'});
		return stdout.trim();
	}

	/** The same, and whatever it printed where it fails. */
	async try(...words: readonly string[]): Promise<string> {
		return this.run(...words).catch(({stdout = ''}: {stdout?: string}) => stdout.trim());
	}

	/** A property of a unit. */
	show(property: string, unit = 'nohupd.service'): Promise<string> {
		return this.run('systemctl', 'show', `--property=${property}`, '--value', unit);
	}

	/** Adds to a unit, or makes one. */
	async write(path: string, text: string): Promise<void> {
		await this.run('mkdir', '-p', dirname(path));
		await this.run('bash', '-c', 'printf %s "$2" >"$1"', 'bash', path, text);
		await this.run('systemctl', 'daemon-reload');
	}

	/** One request to nohupd, on a connection of its own. */
	ask(method: string, path: string, token: string, body?: object): Promise<BoxAnswer> {
		this.#client ??= this.#openClient();
		this.#client.stdin?.write(`${JSON.stringify({method, path, token, body})}\n`);
		return new Promise(resolve => this.#waiting.push(resolve));
	}

	#openClient(): ChildProcess {
		const words = ['-t', String(this.pid), '-a', boxNode, `${boxPackage}/dist/test/helpers/box-client.js`];
		const child = spawn('nsenter', words, {stdio: ['pipe', 'pipe', 'inherit'], cwd: '/'});
		createInterface({input: child.stdout}).on('line', line => this.#waiting.shift()?.(JSON.parse(line)));
		this.t.teardown(() => child.kill('SIGKILL'));
		return child;
	}
}

function findObstacle(): string | null {
	if (process.getuid?.() !== 0) {
		return 'needs root';
	}

	if (!existsSync(join(system, 'lib/systemd/systemd'))) {
		return `systemd is not installed in ${system}`;
	}

	if (whyNoCgroup !== null) {
		return whyNoCgroup;
	}

	const look =
		'mount -t proc proc /proc && command -v setpriv nsenter && chroot "$1" which ip dbus-daemon useradd perl';
	const words = [...unshare, 'bash', '-c', look, 'bash', system];
	return spawnSync('unshare', words, {stdio: 'ignore'}).status === 0 ? null : 'namespaces or programs are missing';
}
