import {isatty} from 'node:tty';
import {type DestinationStream, destination, pino, stdSerializers, stdTimeFunctions} from 'pino';
import type {Logger} from '../lib/index.js';
import {GatheredLines} from './gathered-lines.js';
import {chooseFormat} from './log-lines.js';

export const logLevels = ['error', 'warn', 'info', 'debug', 'silent'] as const;

export type LogLevel = (typeof logLevels)[number];

export interface Log extends Logger {
	/** Settles with whether all lines are written, at the latest after `timeoutMs`: perhaps nobody reads them. */
	flush(timeoutMs: number): Promise<boolean>;
}

/** A log of lines of JSON. Whoever writes to it keeps tokens, environment values, bodies and output to himself. */
export function createLogger(level: LogLevel, sink: DestinationStream): Logger {
	const logger = pino(
		{
			level,
			base: {},
			timestamp: stdTimeFunctions.isoTime,
			formatters: {level: label => ({level: label})},
			serializers: {error: stdSerializers.err},
		},
		sink,
	);
	return {
		debug: (facts, message) => logger.debug(facts, message),
		info: (facts, message) => logger.info(facts, message),
		warn: (facts, message) => logger.warn(facts, message),
		error: (facts, message) => logger.error(facts, message),
	};
}

/** The log on standard error: JSON, but text on a terminal and for the journal of systemd. */
export function openLog(level: LogLevel, journalStream: string | undefined): Log {
	// Not synchronous: a standard error that nobody reads must not hold back the daemon. Beyond a megabyte in
	// memory lines are dropped. (Without a minLength there would be no flush.)
	const sink = destination({fd: 2, sync: false, minLength: 1, maxLength: 1_048_576});
	const format = chooseFormat(2, isatty(2), journalStream);
	const gathered = new GatheredLines(sink);
	return {
		...createLogger(level, format === null ? gathered : {write: line => gathered.write(format(line))}),
		flush: timeoutMs =>
			new Promise(resolve => {
				const timer = setTimeout(() => resolve(false), timeoutMs);
				gathered.passOn();
				sink.flush(() => {
					clearTimeout(timer);
					resolve(true);
				});
			}),
	};
}
