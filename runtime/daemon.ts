import type {AddressInfo} from 'node:net';
import {createSupervisor, type Logger, type Supervisor} from '../lib/index.js';
import {Authenticator} from './auth.js';
import type {Config} from './config.js';
import {Dispatcher} from './dispatcher.js';
import {EnvironmentFile} from './environment-file.js';
import type {Key} from './key.js';
import {openOwnKey} from './own-key.js';
import {Router} from './router.js';
import {createRoutes} from './routes.js';
import {type Patience, Server} from './server.js';
import {makeStateDir} from './state-dir.js';
import {Statistics} from './statistics.js';
import {TokenCache} from './token-cache.js';
import {createVerifier} from './verifier.js';
import {readVersion} from './version.js';

export interface DaemonOptions {
	readonly config: Config;
	readonly stateDir: string;
	/** `null`: the state directory's own, made if it is missing. */
	readonly key: Key | null;
	readonly logger: Logger;
	readonly patience?: Patience;
}

/** A supervisor behind HTTP. */
export interface Daemon {
	readonly address: AddressInfo;
	readonly key: Key;
	/** Answers what was asked, lets go of the supervisor, and settles in less than a second. Commands run on. */
	close(): Promise<void>;
}

const drainMs = 500;
const lastWordsMs = 100;

/** Settles once requests are accepted. Rejects with what the supervisor or the system rejects with. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
	const {config, stateDir, logger} = options;
	makeStateDir(stateDir);
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
		ports: {host: host => environment.extend(host)},
	});
	try {
		const key = options.key ?? openOwnKey(stateDir);
		const server = await createServer(supervisor, environment, key, options);
		const address = await server.listen(config.host, config.port);
		return {address, key, close: () => close(server, supervisor)};
	} catch (error) {
		await supervisor.close();
		throw error;
	}
}

async function createServer(
	supervisor: Supervisor,
	environment: EnvironmentFile,
	key: Key,
	{config, logger, patience}: DaemonOptions,
): Promise<Server> {
	const verify = await createVerifier(key, {issuer: config.jwtIssuer, audience: config.jwtAudience});
	const cache = new TokenCache({now: Date.now, monotonicMs: () => performance.now()});
	const statistics = new Statistics();
	statistics.watch(supervisor);
	const routes = createRoutes({version: readVersion(), environment, statistics, workspace: config.workspace});
	const dispatcher = new Dispatcher({
		supervisor,
		router: new Router(routes),
		authenticator: new Authenticator(verify, cache, logger),
		logger,
		maxBodyBytes: config.maxBodyBytes,
		onAnswer: status => statistics.countRequest(status),
	});
	return new Server(dispatcher, patience);
}

async function close(server: Server, supervisor: Supervisor): Promise<void> {
	await server.drain(drainMs);
	await supervisor.close();
	// Whoever waits for a kill is told by this that it goes on without us.
	await server.drain(lastWordsMs);
	server.destroy();
}
