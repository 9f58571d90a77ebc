import {statSync} from 'node:fs';
import {resolve} from 'node:path';
import * as v from 'valibot';
import {logLevels} from './log.js';
import {secondsAsMs, someText, wholeNumber} from './text-schemas.js';

/** A setting, described once: the command line, the environment and the help follow from it. */
export interface Setting {
	/** As commander reads it. `null` for a secret, which everybody could see in the list of processes. */
	readonly flag: string | null;
	readonly variable: string;
	readonly schema: v.GenericSchema<string, unknown>;
	/** As it would be given. */
	readonly default?: string;
	readonly help: string;
}

const day = 24 * 60 * 60;
const year = 365 * day;

const path = v.pipe(
	someText,
	v.transform(value => resolve(value)),
);

const directory = v.pipe(
	path,
	v.check(value => statSync(value, {throwIfNoEntry: false})?.isDirectory() ?? false, 'must be a directory that exists'),
);

const host = v.pipe(
	someText,
	// People know IPv6 addresses from URLs.
	v.transform(value => value.replace(/^\[(.*)\]$/, '$1')),
);

const keySetUrl = v.pipe(
	v.string(),
	v.url('must be a URL'),
	v.transform(value => new URL(value)),
	// Whoever can change the answer on its way can make tokens.
	v.check(({protocol, hostname}) => protocol === 'https:' || isLoopback(hostname), 'must begin with https://'),
);

export const settings = {
	host: {
		flag: '--host <address>',
		variable: 'NOHUPD_HOST',
		schema: host,
		default: '127.0.0.1',
		help: 'address to listen on',
	},
	port: {
		flag: '--port <number>',
		variable: 'NOHUPD_PORT',
		schema: wholeNumber(0, 65_535),
		default: '7777',
		help: 'port to listen on; 0 takes a free one',
	},
	stateDir: {
		flag: '--state-dir <path>',
		variable: 'NOHUPD_STATE_DIR',
		schema: path,
		help: 'what must survive is kept here; else $STATE_DIRECTORY, $XDG_STATE_HOME/nohupd or ~/.local/state/nohupd',
	},
	maxRunning: {
		flag: '--max-running <number>',
		variable: 'NOHUPD_MAX_RUNNING',
		schema: wholeNumber(1, 1_000_000),
		help: 'processes that run at the same time; no limit unless set',
	},
	maxQueued: {
		flag: '--max-queued <number>',
		variable: 'NOHUPD_MAX_QUEUED',
		schema: wholeNumber(0, 1_000_000),
		help: 'processes that wait while as many run as may',
	},
	gracePeriod: {
		flag: '--grace-period <seconds>',
		variable: 'NOHUPD_GRACE_PERIOD',
		schema: secondsAsMs(day),
		help: 'time between SIGTERM and SIGKILL',
	},
	defaultTimeout: {
		flag: '--default-timeout <seconds>',
		variable: 'NOHUPD_DEFAULT_TIMEOUT',
		schema: secondsAsMs(68 * year),
		help: 'allowed running time of a command that names none; 0 is no limit',
	},
	maxTimeout: {
		flag: '--max-timeout <seconds>',
		variable: 'NOHUPD_MAX_TIMEOUT',
		schema: v.pipe(secondsAsMs(68 * year), v.minValue(1, 'must be more than 0')),
		help: 'the longest running time a command may ask for; no limit unless set',
	},
	maxAge: {
		flag: '--max-age <seconds>',
		variable: 'NOHUPD_MAX_AGE',
		schema: secondsAsMs(68 * year),
		help: 'how long ended processes are remembered, with their output; 7 days unless set',
	},
	maxEnded: {
		flag: '--max-ended <number>',
		variable: 'NOHUPD_MAX_ENDED',
		schema: wholeNumber(0, 1_000_000_000),
		help: 'so many ended processes are remembered, the oldest end goes first; 10,000 unless set',
	},
	containment: {
		flag: '--containment <kind>',
		variable: 'NOHUPD_CONTAINMENT',
		schema: v.picklist(['auto', 'session'], 'must be auto or session'),
		default: 'auto',
		help: 'auto holds each process in a cgroup of its own where that is possible; session never does',
	},
	maxStreamBytes: {
		flag: '--max-stream-bytes <number>',
		variable: 'NOHUPD_MAX_STREAM_BYTES',
		schema: wholeNumber(65_536, 2 ** 50),
		help: 'how much of each output stream of a process is kept; the oldest bytes go first (default: 64 MiB)',
	},
	maxOutputBytes: {
		flag: '--max-output-bytes <number>',
		variable: 'NOHUPD_MAX_OUTPUT_BYTES',
		schema: wholeNumber(1_048_576, 2 ** 50),
		help: 'how much of all output is kept, ended processes are forgotten for it (default: 2 GiB)',
	},
	diskReserve: {
		flag: '--disk-reserve <bytes>',
		variable: 'NOHUPD_DISK_RESERVE',
		schema: wholeNumber(0, 2 ** 50),
		help: 'while less is free on the disk, commands are refused (default: 32 MiB)',
	},
	workingDir: {
		flag: '--working-dir <path>',
		variable: 'NOHUPD_WORKING_DIR',
		schema: directory,
		help: 'where commands run that name no directory; else where nohupd was started',
	},
	workspace: {
		flag: '--workspace <path>',
		variable: 'NOHUPD_WORKSPACE',
		schema: directory,
		help: 'stands in for /workspace, where official clients run commands, on machines that have none',
	},
	logLevel: {
		flag: '--log-level <level>',
		variable: 'NOHUPD_LOG_LEVEL',
		schema: v.picklist(logLevels, `must be one of ${logLevels.join(', ')}`),
		default: 'info',
		help: `how much is logged on standard error: ${logLevels.join(', ')}`,
	},
	maxBodyBytes: {
		flag: '--max-body-bytes <number>',
		variable: 'NOHUPD_MAX_BODY_BYTES',
		schema: wholeNumber(1, 268_435_456),
		default: '8388608',
		help: 'the largest body of a request',
	},
	jwtSecret: {
		flag: null,
		variable: 'NOHUPD_JWT_SECRET',
		schema: someText,
		help: 'secret of at least 32 bytes that tokens are signed with (HS256)',
	},
	jwtPublicKey: {
		flag: '--jwt-public-key <path>',
		variable: 'NOHUPD_JWT_PUBLIC_KEY',
		schema: path,
		help: 'PEM file of the public key that tokens are checked with (RSA, EC or Ed25519)',
	},
	jwksUrl: {
		flag: '--jwks-url <url>',
		variable: 'NOHUPD_JWKS_URL',
		schema: keySetUrl,
		help: 'where the set of public keys is that tokens are checked with',
	},
	jwtIssuer: {
		flag: '--jwt-issuer <name>',
		variable: 'NOHUPD_JWT_ISSUER',
		schema: someText,
		help: 'the "iss" that a token must have',
	},
	jwtAudience: {
		flag: '--jwt-audience <name>',
		variable: 'NOHUPD_JWT_AUDIENCE',
		schema: someText,
		help: 'the "aud" that a token must have',
	},
} as const satisfies Readonly<Record<string, Setting>>;

export type SettingName = keyof typeof settings;

/** Whether what listens on this host can only be reached from this machine. */
export function isLoopback(hostname: string): boolean {
	return hostname === 'localhost' || /^127(\.\d{1,3}){3}$/.test(hostname) || /^\[?::1\]?$/.test(hostname);
}
