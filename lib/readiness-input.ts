/** How a caller says when a command is ready, in the library's spelling and in that of the HTTP API. */
import * as v from 'valibot';
import type {Readiness} from './process.js';
import {wellFormed} from './well-formed.js';

/** What shows that a command is ready: exactly one of these. */
export interface ReadySign {
	/**
	 * The command, or a descendant, accepts connections on this TCP port of 127.0.0.1 or ::1. The port of a stranger is
	 * not its readiness: whose it is says procfs. So a server outside the tree (a container that a daemon runs, say) is
	 * not seen: use `http` or `log` for it. Where a descendant runs as another user, nobody can look whose it is, and any
	 * listener counts.
	 */
	readonly port?: number | undefined;
	/** A GET of this `http:` or `https:` URL is answered, by whomever, with a status below 500. Redirects are not followed. */
	readonly http?: string | undefined;
	/** This text was written to standard output or standard error; compared as it is, not as a pattern. */
	readonly log?: string | undefined;
}

/** How a command shows that it is ready, and how long it may take. */
export interface ReadyInput extends ReadySign {
	/** From the start of the command on. Default: 60,000. Afterwards nobody watches any more; the command runs on. */
	readonly timeoutMs?: number | undefined;
}

/** The same in the spelling of the HTTP API. */
export interface ReadyBody extends ReadySign {
	/** In seconds. Default: 60. */
	readonly timeout?: number | undefined;
}

const defaultTimeoutMs = 60_000;
const maxSeconds = 24 * 60 * 60;
const signs = ['port', 'http', 'log'] as const;

const portProblem = 'must be a whole number from 1 to 65535';
const port = v.pipe(
	v.number(portProblem),
	v.safeInteger(portProblem),
	v.minValue(1, portProblem),
	v.maxValue(65_535, portProblem),
);
const http = v.pipe(
	v.string('must be a URL'),
	v.maxLength(2048, 'must be at most 2048 characters'),
	v.check(isPlainUrl, 'must be a URL that begins with http: or https:, without a user or a password'),
);
const log = v.pipe(
	v.string('must be a text'),
	v.nonEmpty('must not be empty'),
	v.maxLength(1024, 'must be at most 1024 characters'),
	wellFormed,
);

const time = (unit: string, max: number) => {
	const problem = `must be a whole number of ${unit} from 1 to ${max}`;
	return v.pipe(v.number(problem), v.safeInteger(problem), v.minValue(1, problem), v.maxValue(max, problem));
};

const signFields = {port: v.optional(port), http: v.optional(http), log: v.optional(log)};

const fieldsOf = <Entries extends v.ObjectEntries>(entries: Entries) =>
	v.pipe(
		// An array would pass for an object.
		v.custom<Record<string, unknown>>(
			value => typeof value === 'object' && value !== null && !Array.isArray(value),
			'must be an object with port, http or log',
		),
		v.strictObject(
			{...signFields, ...entries},
			() => `is not known here; known are ${[...signs, ...Object.keys(entries)].join(', ')}`,
		),
		v.check(
			value => signs.filter(sign => (value as ReadySign)[sign] !== undefined).length === 1,
			'must have exactly one of port, http and log',
		),
	);

/** Schema of `ReadyInput`. */
export const readyInputSchema = v.optional(
	v.pipe(
		fieldsOf({timeoutMs: v.optional(time('milliseconds', maxSeconds * 1000), defaultTimeoutMs)}),
		v.transform(({timeoutMs, ...sign}) => toReadiness(sign, timeoutMs)),
	),
);

/** Schema of `ReadyBody`. */
export const readyBodySchema = v.optional(
	v.pipe(
		fieldsOf({timeout: v.optional(time('seconds', maxSeconds), defaultTimeoutMs / 1000)}),
		v.transform(({timeout, ...sign}) => toReadiness(sign, timeout * 1000)),
	),
);

function toReadiness({port, http, log}: ReadySign, timeoutMs: number): Readiness {
	if (port !== undefined) {
		return {port, timeoutMs};
	}

	return http === undefined ? {log: log ?? '', timeoutMs} : {http, timeoutMs};
}

function isPlainUrl(value: string): boolean {
	if (!URL.canParse(value)) {
		return false;
	}

	const {protocol, username, password} = new URL(value);
	return /^https?:$/.test(protocol) && username === '' && password === '';
}
