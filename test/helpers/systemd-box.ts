import {type ChildProcess, execFile, spawn} from 'node:child_process';
import {dirname} from 'node:path';
import {createInterface} from 'node:readline';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {bootSystemd, boxNode, boxPackage, enterBox, whyNoSystemd} from './booted-systemd.js';
import {makeTestCgroup} from './cgroups.js';
import {eventually} from './eventually.js';
import {makeTempDir} from './temp-dir.js';

const run = promisify(execFile);

/** How the program is called inside. */
export const boxProgram = `${boxPackage}/dist/runtime/main.js`;

/** A test that boots a systemd: skipped where that cannot be, and its title says why. */
export function testWithSystemd(title: string, work: (t: ExecutionContext) => Promise<void>): void {
	if (whyNoSystemd === null) {
		// One after the other: each is a small machine.
		test.serial(title, work);
	} else {
		test.skip(`${title} (skipped: ${whyNoSystemd})`, work);
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
		const systemd = await bootSystemd(makeTempDir(t), makeTestCgroup(t));
		t.teardown(() => systemd.end());
		const box = new SystemdBox(t, systemd.pid);
		t.teardown(async () => {
			if (!t.passed) {
				t.log([...systemd.console, await box.try('journalctl', '--no-pager', '--lines=60')].join('\n'));
			}
		});
		await eventually(async () => (await box.try('systemctl', 'is-active', 'box.target')) === 'active');
		return box;
	}

	/** Runs a program inside and gives what it printed. Rejects where it fails. */
	async run(...words: readonly string[]): Promise<string> {
		const {stdout} = await run(...enterBox(this.pid, words), {cwd: '/'});
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
		const words = [boxNode, `${boxPackage}/dist/test/helpers/box-client.js`];
		const child = spawn(...enterBox(this.pid, words), {stdio: ['pipe', 'pipe', 'inherit'], cwd: '/'});
		createInterface({input: child.stdout}).on('line', line => this.#waiting.shift()?.(JSON.parse(line)));
		this.t.teardown(() => child.kill('SIGKILL'));
		return child;
	}
}
