import type {EventsOptions} from './api.js';
import {EventBus} from './event-bus.js';
import type {AnyProcessEvent, EventFeedItem, EventGap} from './events.js';
import type {EventQuery, EventStore} from './ports.js';
import type {ProcessId} from './process.js';
import {inject, injectable, Tokens} from './tokens.js';

/** So many events at a time are in memory for each subscriber, however slow it is. */
const pageSize = 50;

/** Which events a subscriber wants. */
type Wish = Pick<EventsOptions, 'processId' | 'owner' | 'types'>;

/** Tells subscribers the numbered events. All are read from the store: the bus only wakes. */
@injectable()
export class EventFeed {
	/** What was read last. */
	#answer: {readonly question: string; readonly events: readonly AnyProcessEvent[]} = {question: '', events: []};

	constructor(
		@inject(Tokens.events) private readonly events: EventStore,
		@inject(EventBus) private readonly bus: EventBus,
	) {}

	/** What comes from now on belongs to it, whenever it is first asked. Ends when one of the signals is aborted. */
	subscribe(
		{after, signal, ...wish}: EventsOptions,
		closing: AbortSignal,
	): AsyncGenerator<EventFeedItem, undefined, undefined> {
		const start = after ?? this.events.lastSequence();
		return this.#tell(start, wish, signal === undefined ? [closing] : [closing, signal]);
	}

	/** Whether there is an event of this process that the owner may be told. */
	hasTold(processId: ProcessId, owner: string | undefined): boolean {
		return this.events.list({after: 0, processId, owner, limit: 1}).length > 0;
	}

	async *#tell(
		start: number,
		wish: Wish,
		ends: readonly AbortSignal[],
	): AsyncGenerator<EventFeedItem, undefined, undefined> {
		const isOver = () => ends.some(({aborted}) => aborted);
		const bell = new Bell();
		const ring = () => bell.ring();
		// Before the first look: what is stored after that look rings.
		const unwatch = this.bus.watch(event => isWanted(event, wish) && bell.ring());
		for (const signal of ends) {
			signal.addEventListener('abort', ring);
		}

		try {
			const cursor = new Cursor(start);
			while (!isOver()) {
				bell.silence();
				for (const item of this.#read(cursor, wish)) {
					yield item;
					if (isOver()) {
						return;
					}
				}

				if (cursor.isAtEnd) {
					await bell.rung();
				}
			}
		} finally {
			unwatch();
			for (const signal of ends) {
				signal.removeEventListener('abort', ring);
			}
		}
	}

	/** What is there after the cursor, which moves on; nothing at the end. */
	#read(cursor: Cursor, wish: Wish): readonly EventFeedItem[] {
		const last = this.events.lastSequence();
		const gap = cursor.skip(this.events.horizon(wish), last);
		const page = cursor.position < last ? this.#list({...wish, after: cursor.position, limit: pageSize}, last) : [];
		cursor.isAtEnd = page.length < pageSize;
		// What others are told need not be gone through again.
		cursor.position = cursor.isAtEnd ? last : (page.at(-1)?.sequence ?? last);
		return gap === null ? page : [gap, ...page];
	}

	/** Hundreds of subscribers that are all woken by one event have it read once. */
	#list(query: EventQuery, last: number): readonly AnyProcessEvent[] {
		const question = JSON.stringify([query, last]);
		if (this.#answer.question !== question) {
			this.#answer = {question, events: this.events.list(query)};
		}

		return this.#answer.events;
	}
}

/** How far a subscriber is. */
class Cursor {
	isAtEnd = false;
	/** What is missing up to here was told. */
	#toldUntil = 0;

	constructor(public position: number) {}

	/** What cannot be told any more, of the numbers up to the horizon; `null` if that is nothing. */
	skip(horizon: number, last: number): EventGap | null {
		const seen = Math.max(this.position, this.#toldUntil);
		if (seen < horizon) {
			this.#toldUntil = horizon;
			return {type: 'gap', from: seen + 1, to: horizon};
		}

		if (this.position <= last) {
			return null;
		}

		// The events were lost with the power, or with the database: their numbers are given again.
		const gap = {type: 'gap', from: last + 1, to: this.position} as const;
		this.position = last;
		return gap;
	}
}

function isWanted({type, process}: AnyProcessEvent, {processId, owner, types}: Wish): boolean {
	return (
		(processId === undefined || process.processId === processId) &&
		(owner === undefined || process.owner === owner) &&
		(types === undefined || types.includes(type))
	);
}

/** Wakes one who waits; what rings while nobody does is heard as soon as somebody would. */
class Bell {
	#hasRung = false;
	#wake: () => void = () => undefined;

	ring(): void {
		this.#hasRung = true;
		this.#wake();
	}

	silence(): void {
		this.#hasRung = false;
	}

	rung(): Promise<void> {
		return new Promise(resolve => {
			this.#wake = resolve;
			if (this.#hasRung) {
				resolve();
			}
		});
	}
}
