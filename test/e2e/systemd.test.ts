import {readFileSync} from 'node:fs';
import type {ExecutionContext} from 'ava';
import {boxNode, boxPackage} from '../helpers/booted-systemd.js';
import type {ShownProcess, Started} from '../helpers/daemon.js';
import {eventually} from '../helpers/eventually.js';
import {boxProgram, SystemdBox, testWithSystemd} from '../helpers/systemd-box.js';

const count = 50;
const userId = '2000';

const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');

/** The block of the README that makes nohupd a service, as root. */
const installation = /^```sh\n(sudo .*?)^```/ms.exec(readme)?.[1]?.replaceAll('sudo ', '').trim().split('\n') ?? [];

/** nohupd installed as the README says, and started. */
class Installation {
	private constructor(
		readonly box: SystemdBox,
		private readonly stateDir: string,
		private token = '',
	) {}

	/** @param settings - Of a drop-in for the service. */
	static async open(t: ExecutionContext, settings = ''): Promise<Installation> {
		const box = await SystemdBox.boot(t);
		await box.write('/etc/systemd/system/nohupd.service.d/test.conf', settings);
		for (const line of installation) {
			await box.run('bash', '-c', `cd ${boxPackage} && ${line}`);
		}

		const service = new Installation(box, '/var/lib/nohupd');
		await service.renewToken();
		return service;
	}

	/** The same for a user without privileges, by that user's own systemd; `as` runs a program as this user. */
	static async openForUser(t: ExecutionContext, as: (...words: string[]) => string[]): Promise<Installation> {
		const box = await SystemdBox.boot(t);
		await box.run('useradd', '--create-home', '--uid', userId, 'agent');
		await box.run('systemctl', 'start', `user@${userId}.service`);
		await box.run(...as(boxNode, boxProgram, 'service', 'install', '--user'));
		await box.run(...as('systemctl', '--user', 'enable', '--now', 'nohupd.socket', 'nohupd.service'));
		const service = new Installation(box, '/home/agent/.local/state/nohupd');
		await service.renewToken();
		return service;
	}

	async renewToken(): Promise<void> {
		this.token = await this.box.run(boxNode, boxProgram, 'token', '--state-dir', this.stateDir);
	}

	async ask<T>(method: string, path: string, body?: object): Promise<{status: number; json: T}> {
		const {status, text, error} = await this.box.ask(method, path, this.token, body);
		return {status, json: error === undefined ? JSON.parse(text) : {error}};
	}

	async start(command: string, more: object = {}): Promise<string> {
		const {json} = await this.ask<Started>('POST', '/commands/background', {command, timeout: 0, ...more});
		return json.process_id;
	}

	async get(id: string): Promise<ShownProcess> {
		return (await this.ask<ShownProcess>('GET', `/execute/processes/${id}`)).json;
	}

	/** The process once it has ended. */
	ended(id: string): Promise<ShownProcess> {
		return eventually(
			() => this.get(id),
			({status}) => status !== 'running',
		);
	}

	/** What the journal holds of nohupd, from the worst down to `priority`. */
	journal(priority: string): Promise<string> {
		return this.box.run('journalctl', '_SYSTEMD_UNIT=nohupd.service', '--output=cat', `--priority=${priority}`);
	}
}

testWithSystemd(
	'a service is ready when systemd says so, runs without root, and holds commands in cgroups',
	async t => {
		const service = await Installation.open(t, '[Service]\nEnvironment=NOHUPD_PROT=1\n');
		const {box} = service;

		const {json} = await service.ask('GET', '/health');
		const id = await service.start('id -un; pwd; tail -n 1 /proc/self/cgroup; env; ls -l /proc/$$/fd');
		const {stdout} = await service.ended(id);

		t.like(json, {status: 'ok', containment: 'cgroup', warnings: []});
		t.regex(await box.show('StatusText'), /^\d+ running, 0 queued$/);
		t.regex(stdout, new RegExp(`^nohupd\n/home/nohupd\n0::/system\\.slice/nohupd\\.service/nohupd-\\w+/${id}\n`));
		t.notRegex(stdout, /NOTIFY_SOCKET|LISTEN_|WATCHDOG_|socket:/);
		t.regex(await service.journal('warning'), /^NOHUPD_PROT is not a known setting; .*$/);
		t.regex(await service.journal('info'), new RegExp(`^A process has ended processId=${id} .*exitCode=0`, 'm'));
	},
);

testWithSystemd('systemd finds nothing wrong with the units that were installed (systemd-analyze)', async t => {
	const {box} = await Installation.open(t);
	const analyze = (...words: string[]) => box.run('bash', '-c', 'systemd-analyze "$@" 2>&1', 'bash', ...words);
	const [service, socket] = ['/etc/systemd/system/nohupd.service', '/etc/systemd/system/nohupd.socket'] as const;

	t.is(await analyze('verify', service, socket), '');
	// The unit says what it is made of. Fails above the threshold, in tenths.
	await t.notThrowsAsync(analyze('security', '--offline=yes', '--threshold=40', service));
});

testWithSystemd('a hung daemon is restarted by the watchdog, and commands run on', async t => {
	const service = await Installation.open(t, '[Service]\nWatchdogSec=5\n');
	const {box} = service;
	const id = await service.start('sleep 1000');
	const before = await service.get(id);

	await box.run('systemctl', 'kill', '--kill-who=main', '--signal=STOP', 'nohupd');
	await eventually(
		() => box.show('NRestarts'),
		restarts => restarts !== '0',
		60_000,
	);

	const after = await eventually(
		() => service.get(id),
		({status}) => status !== undefined,
	);
	t.like(after, {status: 'running', pid: before.pid});
	t.regex(await box.run('journalctl', '--unit=nohupd', '--output=cat'), /Watchdog timeout/);
	await service.ask('POST', `/execute/kill/${id}?grace_period=0`);
});

testWithSystemd('over a restart no connection is refused, and a reload reads the key again', async t => {
	const service = await Installation.open(t);
	const {box} = service;
	const answers: {status: number; json: object}[] = [];

	let isOver = false;
	const restarts = (async () => {
		for (let round = 0; round < 3; round++) {
			await box.run('systemctl', 'restart', 'nohupd.service');
		}

		isOver = true;
	})();
	const keepAsking = async () => {
		while (!isOver) {
			answers.push(await service.ask('GET', '/execute/processes'));
		}
	};
	await Promise.all([restarts, ...Array.from({length: 5}, keepAsking)]);
	const statuses = new Set(answers.map(({status}) => status));
	t.log(`${answers.length} requests: ${[...statuses].join(', ')}`);
	t.true(statuses.has(200));
	// One that was accepted in the last moment is told to come again.
	t.deepEqual(
		answers.filter(({status}) => status !== 200 && status !== 503),
		[],
	);

	await box.run('rm', '/var/lib/nohupd/key');
	await box.run('systemctl', 'reload', 'nohupd.service');
	const withOld = await eventually(
		() => service.ask('GET', '/execute/processes'),
		({status}) => status !== 200,
	);
	await service.renewToken();
	t.is(withOld.status, 401);
	t.is((await service.ask('GET', '/execute/processes')).status, 200);
	t.is(await box.show('ActiveState'), 'active');
});

testWithSystemd('50 commands outlive a restart and a SIGKILL: output and exit codes are right', async t => {
	const service = await Installation.open(t);
	const {box} = service;
	await box.run('mkfifo', '--mode=666', '/tmp/gate');
	const numbers = Array.from({length: count}, (_, index) => index);
	const ids = await Promise.all(
		numbers.map(number => service.start(`echo before ${number}; cat /tmp/gate; echo after ${number}; exit ${number}`)),
	);
	const list = async () => {
		const {json} = await service.ask<{processes: ShownProcess[]}>('GET', '/execute/processes');
		const shown = new Map(json.processes.map(process => [process.process_id, process]));
		return ids.map(id => shown.get(id));
	};
	await eventually(list, all => all.every(process => process?.stdout.startsWith('before')));

	await box.run('systemctl', 'restart', 'nohupd.service');
	const afterRestart = await list();
	await box.run('systemctl', 'kill', '--kill-who=main', '--signal=KILL', 'nohupd');
	// They end while there is no daemon to see it.
	await eventually(
		async () => {
			await box.run('timeout', '1', 'bash', '-c', ': >/tmp/gate').catch(() => 'nobody reads any more');
			return box.try('pgrep', '-x', 'cat');
		},
		left => left === '',
	);
	const afterKill = await eventually(list, all => all.every(process => process?.status !== 'running'));

	t.true(afterRestart.every(process => process?.status === 'running'));
	t.deepEqual(
		afterKill.map(process => [process?.status, process?.exit_code, process?.stdout]),
		numbers.map(number => [number === 0 ? 'completed' : 'failed', number, `before ${number}\nafter ${number}\n`]),
	);
	t.is(await box.show('NRestarts'), '1');
});

testWithSystemd("a user's own systemd runs it too, and commands outlive its restart", async t => {
	const asUser = ['setpriv', '--reuid', userId, '--regid', userId, '--clear-groups', 'env', 'HOME=/home/agent'];
	const as = (...words: string[]) => [...asUser, `XDG_RUNTIME_DIR=/run/user/${userId}`, ...words];
	const service = await Installation.openForUser(t, as);
	const id = await service.start('sleep 1000');
	const before = await service.get(id);

	await service.box.run(...as('systemctl', '--user', 'restart', 'nohupd.service'));
	const units = ['service', 'socket'].map(type => `/home/agent/.config/systemd/user/nohupd.${type}`);
	const complaints = await service.box.run(
		...as('bash', '-c', 'systemd-analyze --user verify "$@" 2>&1', 'bash', ...units),
	);

	t.is(complaints, '');
	t.like(await service.get(id), {status: 'running', pid: before.pid, containment: 'cgroup'});
	t.like((await service.ask('GET', '/health')).json, {warnings: []});
});

testWithSystemd('a unit that would kill the commands is told of', async t => {
	const service = await Installation.open(t, '[Service]\nKillMode=mixed\n');

	const warning =
		/nohupd\.service has KillMode=mixed: a stop or a restart of it kills all commands; set KillMode=process/;
	const {json} = await eventually(
		() => service.ask<{warnings: string[]}>('GET', '/health'),
		({json}) => json.warnings.length > 0,
	);

	t.regex(json.warnings.join(), warning);
	t.regex(await service.journal('warning'), warning);
});

// What systemd 254 does by OpenFile=, done on an earlier one by a program that then becomes nohupd.
const connected = `[Service]
NotifyAccess=main
ExecStart=
ExecStart=/usr/bin/perl -MSocket -e '$^F = 9; exec @ARGV if $ENV{LISTEN_FDNAMES} =~ /notify/; socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; connect($s, pack_sockaddr_un($ENV{NOTIFY_SOCKET})) or die; fileno($s) == 4 or die; $ENV{LISTEN_FDS} = 2; $ENV{LISTEN_FDNAMES} = "nohupd.socket:notify"; exec @ARGV' ${boxNode} ${boxProgram} serve
`.replaceAll('$', '$$$$');

testWithSystemd('with a socket that systemd connected it speaks for itself, and commands are not heard', async t => {
	const service = await Installation.open(t, connected);
	const {box} = service;

	const id = await service.start('NOTIFY_SOCKET=/run/systemd/notify systemd-notify STATUS=forged');
	await service.ended(id);

	t.regex(await box.show('StatusText'), /^\d+ running, 0 queued$/);
	t.is(await box.show('NotifyAccess'), 'main');
});
