import {execFile, spawn} from 'node:child_process';
import {existsSync, mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {eventually} from '../../helpers/eventually.js';
import {exited, type Runner} from '../runner.js';
import {cpuUnknown, toldNothing, untilNothingRuns} from './daemon.js';
import {firstLineOf, unpackDebian} from './install.js';

const run = promisify(execFile);

export function installSupervisord(dir: string) {
	const version = unpackDebian('supervisor', dir);
	firstLineOf('python3', ['-c', 'import pkg_resources']);
	return {version};
}

/** A program of its own in its configuration for each command: it knows no other way. */
export async function openSupervisord(path: string, dir: string): Promise<Runner> {
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
		settled: () =>
			untilNothingRuns(
				// It exits with 3 where anything has ended.
				async () => ask('status').catch(error => error as {stdout: string}),
				({stdout}) => !/ (RUNNING|STARTING) /.test(stdout),
			),
		cpuMs: cpuUnknown,
		async close() {
			child.kill('SIGTERM');
			await exited(child);
		},
	};
}
