/** The 128 bytes that a process's shim fills in place. keeper.sh describes and writes them. */
import type {Report, StopOrder} from '../ports.js';
import type {Start, Stop, StopReason} from '../process.js';

const widths = [63, 35, 27] as const;

export const recordBytes = 128;

const centisecondMs = 10;

/** Preallocated, so that writing an exit code needs no new block of a full disk. */
export const emptyRecord = widths.map(width => `${' '.repeat(width)}\n`).join('');

/** What the supervisor writes where no shim is left to do it. @param endedAt - Milliseconds since 1970. */
export function closedRecordLine(endedAt: number): string {
	return `E ??? ${'0'.padStart(12)} ${String(endedAt * 1000).padStart(16)}`;
}

/** What the supervisor writes of a stop, for the dead man's switch and for whoever opens a store that had no room for it. */
export function stopOrderLine({why, atUptimeMs, gracePeriodMs, isSignaled}: Stop): string {
	const letter = orderLetters[why];
	const at = Math.floor(atUptimeMs / centisecondMs);
	const grace = Math.ceil(gracePeriodMs / centisecondMs);
	return `${isSignaled ? letter : letter.toLowerCase()} ${String(at).padStart(12)} ${String(grace).padStart(10)}`;
}

/** Small until SIGTERM was sent. */
const orderLetters = {request: 'R', timeout: 'T'} as const satisfies Record<StopReason, string>;

/** Where each line begins. */
export const lineOffsets = {start: 0, end: widths[0] + 1, stop: widths[0] + widths[1] + 2} as const;

const startLine = /^S ([ \d]{6}\d) ([ \d]{10}\d) ([ \d]{6}\d) ([ \d]{6}\d) ([ \d]{15}\d) ([\da-f]{8})\n/;
const endLine = /^E ([ \d]{2}\d|---|\?\?\?) ([ \d]{11}\d) ([ \d]{15}\d)\n/;
const deadlineLine = /^K ([ \d]{11}\d) *\n/;
const orderLine = /^([RrTt]) ([ \d]{11}\d) ([ \d]{9}\d) *\n/;

/**
 * Reads a record. A line counts once its last byte is there: of a write that was cut short
 * nothing is believed.
 */
export function parseRecord(content: string): Report {
	const start = matchLine(startLine, content);
	const end = matchLine(endLine, content.slice(lineOffsets.end));
	const stop = toStopOrder(content.slice(lineOffsets.stop));
	const started = start === null ? null : toStart(start);
	const isForLeftover = end !== null && stop !== null && Number(end[2]) * centisecondMs < stop.atUptimeMs;
	return {
		start: started,
		end: end === null ? null : toEnd(end, started),
		// It ended by itself; what it left behind was stopped.
		stop: isForLeftover ? null : stop,
		leftoverStop: isForLeftover ? stop : null,
	};
}

function toStart([, pid, ticks, shimPid, sessionId, time, bootId]: RegExpExecArray): Start {
	return {
		identity: {bootId: String(bootId), pid: Number(pid), startTicks: Number(ticks)},
		shimPid: Number(shimPid),
		sessionId: Number(sessionId),
		startedAt: toMs(time),
	};
}

function toStopOrder(content: string): StopOrder | null {
	const deadline = matchLine(deadlineLine, content);
	if (deadline !== null) {
		const atUptimeMs = Number(deadline[1]) * centisecondMs;
		return {why: 'timeout', atUptimeMs, gracePeriodMs: null, isSignaled: true};
	}

	const order = matchLine(orderLine, content);
	if (order === null) {
		return null;
	}

	const [, letter = '', at, grace] = order;
	return {
		why: letter.toUpperCase() === orderLetters.timeout ? 'timeout' : 'request',
		atUptimeMs: Number(at) * centisecondMs,
		gracePeriodMs: Number(grace) * centisecondMs,
		isSignaled: letter === letter.toUpperCase(),
	};
}

/** A field with a space behind a digit is none that printf(1) aligned: the disk gave back something else. */
function matchLine(line: RegExp, content: string): RegExpExecArray | null {
	const fields = line.exec(content);
	return fields?.slice(1).some(field => /\d /.test(field)) ? null : fields;
}

function toEnd([, code, uptime, time]: RegExpExecArray, start: Start | null): NonNullable<Report['end']> {
	if (code === '---' || start === null) {
		const message = 'The command could not be started; its standard error says why';
		return {exitCode: null, endedAt: toMs(time), durationMs: null, why: 'start_failed', message};
	}

	if (code === '???') {
		return {exitCode: null, endedAt: toMs(time), durationMs: null, why: 'lost'};
	}

	const sinceBootMs = Math.max(0, (Number(uptime) - start.identity.startTicks) * centisecondMs);
	const durationMs = precise(sinceBootMs, toMs(time) - start.startedAt);
	return {exitCode: Number(code), endedAt: toMs(time), durationMs};
}

/**
 * The wall clock is finer and the one since boot cannot be set: where both agree, the finer one counts. Two
 * readings of the coarse one are off by up to a tick each.
 */
function precise(sinceBootMs: number, wallMs: number): number {
	return wallMs >= 0 && Math.abs(wallMs - sinceBootMs) <= 2 * centisecondMs ? wallMs : sinceBootMs;
}

function toMs(microseconds: string | undefined): number {
	return Math.floor(Number(microseconds) / 1000);
}
