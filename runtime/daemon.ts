import type {AddressInfo} from 'node:net';
import {createSupervisor, type Logger, type Supervisor} from '../lib/index.js';
import {nearUrlOf} from './address.js';
import {publishAddress, withdrawAddress} from './address-file.js';
import {Authenticator} from './auth.js';
import type {Config} from './config.js';
import {CurrentKey} from './current-key.js';
import {Dispatcher} from './dispatcher.js';
import {EnvironmentFile} from './environment-file.js';
import {createHealth, type Health} from './health.js';
import type {Key} from './key.js';
import {Metrics} from './metrics.js';
import {openOwnKey} from './own-key.js';
import {Router} from './router.js';
import {createRoutes} from './routes.js';
import {type Patience, Server} from './server.js';
import {logChanges} from './state-log.js';
import {Statistics} from './statistics.js';
import {TokenCache} from './token-cache.js';
import {readVersion} from './version.js';

export interface DaemonOptions {
	readonly config: Config;
	readonly stateDir: string;
	/** `null`: the state directory's own, made if it is missing. */
	readonly key: Key | null;
	readonly logger: Logger;
	/** A listening socket that was handed to us; `null`: one is opened at the address of the settings. */
	readonly socket?: number | null;
	readonly patience?: Patience;
}

/** A supervisor behind HTTP. */
export interface Daemon {
	readonly address: AddressInfo;
	readonly key: Key;
	/** For those who watch over it. */
	readonly supervisor: Pick<Supervisor, 'state' | 'list'>;
	readonly health: Pick<Health, 'warn'>;
	/** Tokens are good from now on if they are signed with this key; `null`: with the state directory's own. */
	replaceKey(key: Key | null): Promise<void>;
	/** Answers what was asked, lets go of the supervisor, and settles in less than a second. Commands run on. */
	close(): Promise<void>;
}

const drainMs = 500;
const lastWordsMs = 100;

/** Settles once requests are accepted. Rejects with what the supervisor or the system rejects with. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
	const {config, stateDir, logger} = options;
	const environment = new EnvironmentFile(stateDir);
	const supervisor = await createSupervisor({
		stateDir,
		logger,
		maxRunning: config.maxRunning,
		maxQueued: config.maxQueued,
		gracePeriodMs: config.gracePeriod,
		defaultTimeoutMs: config.defaultTimeout,
		maxTimeoutMs: config.maxTimeout,
		workingDir: config.workingDir,
		containment: config.containment,
		output: {
			maxStreamBytes: config.maxStreamBytes,
			maxTotalBytes: config.maxOutputBytes,
			reserveBytes: config.diskReserve,
		},
		retention: {
			maxAgeMs: config.maxAge,
			maxEnded: config.maxEnded,
		},
		ports: {host: host => environment.extend(host)},
	});
	try {
		const key = options.key ?? openOwnKey(stateDir);
		const currentKey = await CurrentKey.open(key, {issuer: config.jwtIssuer, audience: config.jwtAudience});
		const cache = new TokenCache({now: Date.now, monotonicMs: () => performance.now()});
		const health = createHealth(supervisor, readVersion());
		logChanges(supervisor, logger);
		const authenticator = new Authenticator(currentKey.verify, cache, logger);
		const server = createServer({supervisor, environment, health, authenticator}, options);
		const address = await server.listen(
			typeof options.socket === 'number' ? {fd: options.socket} : {host: config.host, port: config.port},
		);
		publish(address, stateDir, logger);
		return {
			address,
			key,
			supervisor,
			health,
			replaceKey: async next => {
				await currentKey.replace(next ?? openOwnKey(stateDir));
				cache.clear();
			},
			close: () => {
				withdraw(stateDir, logger);
				return close(server, supervisor);
			},
		};
	} catch (error) {
		await supervisor.close();
		throw error;
	}
}

interface Parts {
	readonly supervisor: Supervisor;
	readonly environment: EnvironmentFile;
	readonly health: Health;
	readonly authenticator: Authenticator;
}

function createServer(
	{supervisor, environment, health, authenticator}: Parts,
	{config, logger, patience}: DaemonOptions,
): Server {
	const statistics = new Statistics();
	statistics.watch(supervisor);
	const metrics = new Metrics(supervisor);
	const {workspace} = config;
	const dispatcher = new Dispatcher({
		supervisor,
		router: new Router(createRoutes({version: readVersion(), environment, statistics, health, metrics, workspace})),
		authenticator,
		logger,
		maxBodyBytes: config.maxBodyBytes,
		onAnswer: status => statistics.countRequest(status),
	});
	return new Server(dispatcher, patience);
}

/** For the command line on this machine: without it the daemon serves all the same. */
function publish({address, port}: AddressInfo, stateDir: string, logger: Logger): void {
	try {
		publishAddress(stateDir, nearUrlOf(address, port));
	} catch (error) {
		logger.warn({error}, 'The address could not be written into the state directory; nohupd ps needs --url');
	}
}

function withdraw(stateDir: string, logger: Logger): void {
	try {
		withdrawAddress(stateDir);
	} catch (error) {
		// Who reads it finds that we are not alive any more.
		logger.debug({error}, 'The address could not be removed from the state directory');
	}
}

async function close(server: Server, supervisor: Supervisor): Promise<void> {
	await server.drain(drainMs);
	await supervisor.close();
	// Whoever waits for a kill is told by this that it goes on without us.
	await server.drain(lastWordsMs);
	server.destroy();
}
