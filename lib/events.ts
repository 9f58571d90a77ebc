import type {StopReason} from './process.js';
import type {Process} from './process-view.js';

/** What every event of a process tells. */
export interface ProcessEvent {
	/** Rises by at least one from event to event of a state directory, across restarts too. */
	readonly sequence: number;
	/** Wall clock, milliseconds since 1970. */
	readonly at: number;
	/** As it was right after what the event tells. */
	readonly process: Process;
}

/** Somebody wants the process ended; it may take its grace period. */
export interface StoppingEvent extends ProcessEvent {
	/** Who wants it: a caller or the timeout. */
	readonly why: StopReason;
}

/** Names and payloads of all events. Each is announced after the store has accepted what it tells. */
export interface ProcessEvents {
	/** Accepted; runs as soon as there is room. */
	queued: ProcessEvent;
	/** The command runs. */
	started: ProcessEvent;
	/** It can do what it was started for: as its `ready` said it would show. */
	ready: ProcessEvent;
	/** Somebody wants it ended; SIGTERM follows. */
	stopping: StoppingEvent;
	/** It is over: by itself, or with nothing left of it after a stop. */
	ended: ProcessEvent;
	/** Its row, its key, its output and its earlier events are gone. A long command is cut. */
	forgotten: ProcessEvent;
}

/** Name of an event. */
export type EventType = keyof ProcessEvents;

// One that is missing here does not compile.
const known: Readonly<Record<EventType, true>> = {
	queued: true,
	started: true,
	ready: true,
	stopping: true,
	ended: true,
	forgotten: true,
};

/** Names of all events, in the order in which they can happen. */
export const eventTypes = Object.keys(known) as readonly EventType[];

/** Any event, told apart by `type`. */
export type AnyProcessEvent = {
	[Type in EventType]: {readonly type: Type} & ProcessEvents[Type];
}[EventType];

/**
 * In place of events that are no longer kept: of the numbers `from` to `to` some are gone, with the processes they
 * told of. Those that are kept follow.
 */
export interface EventGap {
	/** Tells it from an event. */
	readonly type: 'gap';
	/** The lowest number that may be missing. */
	readonly from: number;
	/** The highest. */
	readonly to: number;
}

/** What a subscriber is told. */
export type EventFeedItem = AnyProcessEvent | EventGap;

/** Nobody waits for what it returns; if that is a promise that rejects, it is logged. */
export type EventListener<Type extends EventType> = (event: ProcessEvents[Type]) => void;
