import {resolve} from 'node:path';
import type {Logger} from '../lib/index.js';
import {announcement} from './announcement.js';
import {type Flags, findUnknownVariables, readConfig} from './config.js';
import {type Daemon, startDaemon} from './daemon.js';
import {readGivenKey} from './key.js';
import {type Log, openLog} from './log.js';
import {isLoopback} from './settings.js';
import {defaultStateDir} from './state-dir.js';
import {readInherited} from './systemd/inherited.js';
import {createNotify} from './systemd/notifier.js';
import {SystemdService} from './systemd/service.js';

const shutdownMs = 800;
const lastLinesMs = 100;

/** Runs the daemon until a signal ends it. Rejects when it cannot start. */
export async function serve(flags: Flags, environment = process.env): Promise<void> {
	const config = readConfig(flags, environment);
	const readKey = () => readGivenKey(config, flags, environment);
	const key = readKey();
	const stateDir = config.stateDir ?? resolve(defaultStateDir(environment));
	const inherited = readInherited(environment, process.pid);
	const log = openLog(config.logLevel, environment['JOURNAL_STREAM']);
	warnOfUnknown(environment, log);
	exitOnBugs(log);
	const daemon = await startDaemon({config, stateDir, key, logger: log, socket: inherited.listen}).catch(
		async error => {
			await log.flush(lastLinesMs);
			throw error;
		},
	);
	const service = new SystemdService(daemon, createNotify(environment, inherited, log), log);
	exitOnSignals(daemon, service, log);
	reloadOnHangup(() => service.reloading(() => replaceKey(daemon, readKey, log)));
	warnOfOthers(daemon, log);
	log.info({address: daemon.address, stateDir, ...daemon.supervisor.state()}, 'Listening');
	// Who started us may not be there any more to read it.
	process.stdout.on('error', error => log.debug({error}, 'Nobody reads standard output'));
	process.stdout.write(
		announcement(inherited.listen === null ? config.host : daemon.address.address, daemon, stateDir),
	);
	await service.ready(environment);
}

function warnOfUnknown(environment: NodeJS.ProcessEnv, logger: Logger): void {
	for (const {variable, hint} of findUnknownVariables(environment)) {
		logger.warn({variable}, `${variable} is not a known setting; ${hint}`);
	}
}

function warnOfOthers({address: {address}}: Daemon, logger: Logger): void {
	if (!isLoopback(address)) {
		logger.warn({address}, 'Others can reach this port, and tokens cross the network unencrypted: put TLS in front');
	}
}

/** What state we are in then nobody knows; commands run on, and the next start finds them. */
function exitOnBugs(log: Log): void {
	process.on('uncaughtException', error => {
		log.error({error}, 'A bug in nohupd: it ends here; commands run on');
		void exit(1, log);
	});
}

function exitOnSignals(daemon: Daemon, service: SystemdService, log: Log): void {
	let isClosing = false;
	const close = (signal: NodeJS.Signals) => {
		if (isClosing) {
			return;
		}

		isClosing = true;
		log.info({signal}, 'Shutting down; commands run on');
		// Whatever hangs: nothing is lost by leaving.
		setTimeout(() => void exit(0, log), shutdownMs).unref();
		// On a busy machine the last lines take their time; the timer above sees to it that they do not take more.
		void Promise.all([service.stopping(), daemon.close()]).then(() => exit(0, log, shutdownMs));
	};
	process.on('SIGTERM', close);
	process.on('SIGINT', close);
	if (process.stdout.isTTY) {
		// The terminal was closed (termios(3), "hangup"); elsewhere it asks a daemon to read its settings again.
		process.on('SIGHUP', close);
	}
}

/** One after the other: each reads what is there when its turn comes. */
function reloadOnHangup(reload: () => Promise<void>): void {
	let last = Promise.resolve();
	if (!process.stdout.isTTY) {
		process.on('SIGHUP', () => {
			last = last.then(reload);
		});
	}
}

async function replaceKey(daemon: Daemon, readKey: () => Daemon['key'] | null, log: Log): Promise<void> {
	try {
		await daemon.replaceKey(readKey());
		log.info({}, 'The key that tokens are checked with was read again');
	} catch (error) {
		log.error({error}, 'The key could not be read again; tokens are checked with the one before');
	}
}

async function exit(code: number, log: Log, patienceMs = lastLinesMs): Promise<void> {
	if (!(await log.flush(patienceMs))) {
		// Node would wait for as long as nobody reads our lines.
		process.kill(process.pid, 'SIGKILL');
	}

	process.exit(code);
}
