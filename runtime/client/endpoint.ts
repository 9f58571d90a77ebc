import {resolve} from 'node:path';
import * as v from 'valibot';
import {SettingsInvalidError} from '../../lib/index.js';
import {readAddress} from '../address-file.js';
import {readConfig} from '../config.js';
import {CannotError} from '../failure.js';
import {printable} from '../shown-text.js';
import {defaultStateDir} from '../state-dir.js';
import {mintToken} from '../token.js';
import {DaemonAwayError} from './daemon-errors.js';

/** Which daemon is meant, as flags say it. */
export interface EndpointFlags {
	readonly stateDir?: string | undefined;
	readonly url?: string | undefined;
	readonly token?: string | undefined;
}

/** Where to ask, and with what right. */
export interface Endpoint {
	/** Without a slash at its end. */
	readonly url: string;
	readonly token: string;
}

/** Asked again for each request: a daemon that comes back may have another port, and tokens are short-lived. */
export type FindEndpoint = () => Promise<Endpoint>;

/** Long enough for one request to arrive. */
const tokenTtl = '60';

/**
 * The daemon at a URL, with a token that was given; else the one of a state directory on this machine, with a token
 * signed by its key. A local key signs nothing for a URL: whoever answers there could use it here.
 *
 * Rejects with `DaemonAwayError`, or with `CannotError` or `SettingsInvalidError` where it makes no sense to try again.
 */
export function endpointFinder({url, token, stateDir}: EndpointFlags, environment: NodeJS.ProcessEnv): FindEndpoint {
	const givenToken = token ?? environment['NOHUPD_TOKEN'];
	if (url !== undefined) {
		const endpoint = remoteEndpoint(url, givenToken);
		return async () => endpoint;
	}

	const flags = {stateDir};
	const directory = stateDirOf(flags, environment);
	return async () => ({
		url: findUrl(directory),
		token: givenToken ?? (await mint(flags, environment)),
	});
}

/** The daemon may take other tokens than those its state directory's key signs. */
async function mint(flags: EndpointFlags, environment: NodeJS.ProcessEnv): Promise<string> {
	try {
		return await mintToken({subject: 'nohupd', ttl: tokenTtl}, {stateDir: flags.stateDir}, environment);
	} catch (error) {
		throw error instanceof CannotError
			? new CannotError(`${error.message}; or give a token with NOHUPD_TOKEN or --token`)
			: error;
	}
}

/** The state directory that flags and environment mean. @throws {SettingsInvalidError} */
export function stateDirOf({stateDir}: EndpointFlags, environment: NodeJS.ProcessEnv): string {
	return readConfig({stateDir}, environment).stateDir ?? resolve(defaultStateDir(environment));
}

const urlSchema = v.pipe(v.string(), v.url(), v.regex(/^https?:/i));

function remoteEndpoint(url: string, token: string | undefined): Endpoint {
	if (!v.is(urlSchema, url)) {
		throw new SettingsInvalidError(
			'--url',
			`must begin with http:// or https://; got ${JSON.stringify(printable(url))}`,
		);
	}

	if (token === undefined) {
		throw new CannotError(`${printable(url)} needs a token: give one with NOHUPD_TOKEN or --token`);
	}

	return {url: url.replace(/\/+$/, ''), token};
}

function findUrl(stateDir: string): string {
	const address = read(stateDir);
	if (address === null) {
		throw new DaemonAwayError(
			`No daemon runs on the state directory ${stateDir}: start one (nohupd serve), or name another with --state-dir or --url`,
			false,
		);
	}

	return address.url;
}

function read(stateDir: string): ReturnType<typeof readAddress> {
	try {
		return readAddress(stateDir);
	} catch (error) {
		throw new CannotError(`The state directory ${stateDir} cannot be read: ${(error as Error).message}`);
	}
}
