import {resolve} from 'node:path';
import type {Logger} from '../lib/index.js';
import {announcement} from './announcement.js';
import {type Config, type Flags, findUnknownVariables, readConfig} from './config.js';
import {type Daemon, startDaemon} from './daemon.js';
import {readGivenKey} from './key.js';
import {type Log, openLog} from './log.js';
import {isLoopback} from './settings.js';
import {defaultStateDir} from './state-dir.js';

const shutdownMs = 800;
const lastLinesMs = 100;

/** Runs the daemon until a signal ends it. Rejects when it cannot start. */
export async function serve(flags: Flags, environment = process.env): Promise<void> {
	const config = readConfig(flags, environment);
	const key = readGivenKey(config, flags, environment);
	const stateDir = config.stateDir ?? resolve(defaultStateDir(environment));
	const log = openLog(config.logLevel);
	warnOfUnknown(environment, log);
	exitOnBugs(log);
	const daemon = await startDaemon({config, stateDir, key, logger: log});
	exitOnSignals(daemon, log);
	warnOfOthers(config, log);
	log.info({address: daemon.address, stateDir}, 'Listening');
	// Who started us may not be there any more to read it.
	process.stdout.on('error', error => log.debug({error}, 'Nobody reads standard output'));
	process.stdout.write(announcement(config.host, daemon, stateDir));
}

function warnOfUnknown(environment: NodeJS.ProcessEnv, logger: Logger): void {
	for (const {variable, hint} of findUnknownVariables(environment)) {
		logger.warn({variable}, `${variable} is not a known setting; ${hint}`);
	}
}

function warnOfOthers({host}: Config, logger: Logger): void {
	if (!isLoopback(host)) {
		logger.warn({host}, 'Others can reach this port, and tokens cross the network unencrypted: put TLS in front');
	}
}

/** What state we are in then nobody knows; commands run on, and the next start finds them. */
function exitOnBugs(log: Log): void {
	process.on('uncaughtException', error => {
		log.error({error}, 'A bug in nohupd: it ends here; commands run on');
		void exit(1, log);
	});
}

function exitOnSignals(daemon: Daemon, log: Log): void {
	let isClosing = false;
	const close = (signal: NodeJS.Signals) => {
		if (isClosing) {
			return;
		}

		isClosing = true;
		log.info({signal}, 'Shutting down; commands run on');
		// Whatever hangs: nothing is lost by leaving.
		setTimeout(() => void exit(0, log), shutdownMs).unref();
		void daemon.close().then(() => exit(0, log));
	};
	process.on('SIGTERM', close);
	process.on('SIGINT', close);
}

async function exit(code: number, log: Log): Promise<void> {
	if (!(await log.flush(lastLinesMs))) {
		// Node would wait for as long as nobody reads our lines.
		process.kill(process.pid, 'SIGKILL');
	}

	process.exit(code);
}
