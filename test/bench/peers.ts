import {execFile, execFileSync, spawn} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {eventually} from '../helpers/eventually.js';
import type {Runner} from './runner.js';

/** What people use instead. Each is installed by the benchmark into a directory of its own; the machine stays as it is. */
export type PeerName = 'pm2' | 'supervisord' | 'task-spooler' | 'systemd-run';

const run = promisify(execFile);
const toldNothing = {ended: Promise.resolve()};

/** The directory with the peer in it, or why there is none. */
export type Installed = {readonly path: string} | {readonly skipped: string};

/** Whose directories the workers find in their environment. */
export const peerVariable = (peer: PeerName) => `BENCH_${peer.toUpperCase().replace('-', '_')}`;

const installers: Readonly<Record<PeerName, (dir: string) => void>> = {
	pm2: dir => quietly('npm', ['install', '--no-audit', '--no-fund', '--prefix', dir, 'pm2']),
	supervisord: dir => {
		unpackDebian('supervisor', dir);
		quietly('python3', ['-c', 'import pkg_resources']);
	},
	'task-spooler': dir => unpackDebian('task-spooler', dir),
	'systemd-run': () => {
		if (!existsSync('/run/systemd/system')) {
			throw new Error('no systemd runs on this machine');
		}
	},
};

function quietly(file: string, args: readonly string[], cwd = '/'): void {
	execFileSync(file, args, {stdio: ['ignore', 'ignore', 'pipe'], timeout: 120_000, cwd});
}

/** Into a new directory; whoever asks removes it. */
export function installPeer(peer: PeerName): Installed {
	const path = mkdtempSync(join(tmpdir(), `nohupd-bench-${peer}-`));
	try {
		installers[peer](path);
		return {path};
	} catch (error) {
		return {skipped: String((error as Error).message).split('\n')[0] ?? ''};
	}
}

function unpackDebian(name: string, dir: string): void {
	quietly('apt-get', ['download', name], dir);
	const file = readdirSync(dir).find(entry => entry.endsWith('.deb')) ?? '';
	quietly('dpkg', ['-x', join(dir, file), dir]);
}

/** Runs commands through a peer that was installed before. */
export function openPeer(peer: PeerName, dir: string): Promise<Runner> {
	return openers[peer](process.env[peerVariable(peer)] ?? '', dir);
}

const openers: Readonly<Record<PeerName, (path: string, dir: string) => Promise<Runner>>> = {
	pm2: openPm2,
	supervisord: openSupervisord,
	'task-spooler': openTaskSpooler,
	'systemd-run': openSystemdRun,
};

const cpuUnknown = () => Number.NaN;

async function openTaskSpooler(path: string, dir: string): Promise<Runner> {
	const env = {...process.env, TS_SOCKET: join(dir, 'socket'), TS_SLOTS: '8', TS_MAXFINISHED: '100000', TMPDIR: dir};
	const ask = (...args: string[]) => run(join(path, 'usr/bin/tsp'), args, {env, maxBuffer: 1e9});
	return {
		async start(line) {
			await ask('bash', '-c', line);
			return toldNothing;
		},
		async settled() {
			await eventually(
				async () => (await ask('-l')).stdout,
				list => !/ (running|queued|allocating) /.test(list),
				600_000,
			);
		},
		cpuMs: cpuUnknown,
		async close() {
			await ask('-K');
		},
	};
}

/** Through its own JavaScript interface, as a program would use it. */
async function openPm2(path: string, dir: string): Promise<Runner> {
	process.env['PM2_HOME'] = join(dir, 'pm2');
	const {default: pm2} = await import(join(path, 'node_modules/pm2/index.js'));
	const call = (name: string, ...args: unknown[]) =>
		new Promise<unknown>((resolve, reject) => {
			pm2[name](...args, (error: Error | null, result: unknown) => (error ? reject(error) : resolve(result)));
		});
	await call('connect');
	let count = 0;
	return {
		async start(line) {
			const args = ['-c', line];
			await call('start', {name: `n${count++}`, script: 'bash', args, interpreter: 'none', autorestart: false});
			return toldNothing;
		},
		async settled() {
			await eventually(
				async () => (await call('list')) as {pm2_env: {status: string}}[],
				list => list.every(({pm2_env}) => pm2_env.status === 'stopped'),
				600_000,
			);
		},
		cpuMs: cpuUnknown,
		async close() {
			// Its own call for that does not always answer.
			await run(process.execPath, [join(path, 'node_modules/pm2/bin/pm2'), 'kill']);
			pm2.disconnect();
		},
	};
}

/** A program of its own in its configuration for each command: it knows no other way. */
async function openSupervisord(path: string, dir: string): Promise<Runner> {
	const env = {...process.env, PYTHONPATH: join(path, 'usr/lib/python3/dist-packages'), PYTHONWARNINGS: 'ignore'};
	const config = join(dir, 'supervisord.conf');
	mkdirSync(join(dir, 'programs'));
	const socket = join(dir, 'socket');
	writeFileSync(
		config,
		`[unix_http_server]\nfile=${socket}\n[supervisord]\nnodaemon=true\nlogfile=${dir}/log\npidfile=${dir}/pid\nchildlogdir=${dir}\n` +
			'[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n' +
			`[supervisorctl]\nserverurl=unix://${socket}\n[include]\nfiles=${dir}/programs/*.conf\n`,
	);
	const child = spawn('python3', [join(path, 'usr/bin/supervisord'), '-c', config], {env, stdio: 'ignore'});
	await eventually(() => existsSync(socket));
	const ask = (...args: string[]) =>
		run('python3', [join(path, 'usr/bin/supervisorctl'), '-c', config, ...args], {env});
	let count = 0;
	return {
		async start(line) {
			const name = `n${count++}`;
			const program = `[program:${name}]\ncommand=bash -c "${line}"\nautorestart=false\nstartsecs=0\n`;
			writeFileSync(join(dir, 'programs', `${name}.conf`), program);
			await ask('reread');
			await ask('add', name);
			return toldNothing;
		},
		async settled() {
			await eventually(
				// It exits with 3 where anything has ended.
				async () => ask('status').catch(error => error as {stdout: string}),
				({stdout}) => !/ (RUNNING|STARTING) /.test(stdout),
				600_000,
			);
		},
		cpuMs: cpuUnknown,
		async close() {
			child.kill('SIGTERM');
			await new Promise(resolve => child.once('exit', resolve));
		},
	};
}

async function openSystemdRun(): Promise<Runner> {
	const scope = process.getuid?.() === 0 ? '--system' : '--user';
	return {
		async start(line) {
			// Settles when it has ended; it is forgotten then.
			const ended = run('systemd-run', [scope, '--quiet', '--collect', '--wait', 'bash', '-c', line]);
			return {ended};
		},
		settled: async () => undefined,
		cpuMs: cpuUnknown,
		close: async () => undefined,
	};
}
