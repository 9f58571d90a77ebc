import type * as v from 'valibot';
import type {ProblemCode} from '../problem.js';
import type {JsonSchema} from './json-schema.js';

type Fields = v.ObjectSchema<v.ObjectEntries, undefined>;

/** What one endpoint is, beyond what its route says. */
export interface Operation {
	/** Unique among all; generated clients call their functions so. */
	readonly id: string;
	readonly tag: 'Commands' | 'Processes' | 'Output' | 'Events' | 'Environment' | 'Daemon';
	readonly summary: string;
	/** Where the summary does not say enough. */
	readonly description?: string;
	/** The schema that checks it. */
	readonly query?: Fields;
	/** The schema that checks it. */
	readonly body?: Fields;
	/** Whether it may be left out. */
	readonly isBodyOptional?: boolean;
	/** Whether it may come as bytes in place of JSON. */
	readonly takesBytes?: boolean;
	/** Request headers of its own, with their descriptions. */
	readonly headers?: Readonly<Record<string, string>>;
	/** What each field of query and body means. */
	readonly fields?: Readonly<Record<string, string>>;
	/** What is answered with status 200: JSON, or a stream of events or text. */
	readonly answer: JsonSchema;
	readonly answerType?: 'application/json' | 'text/event-stream' | 'text/plain' | 'application/octet-stream';
	/** An example of the same as bytes, where a client may ask for those, and for a range of them. */
	readonly asBytes?: string;
	/** Refusals beyond those that every endpoint of its kind has. */
	readonly problems?: readonly ProblemCode[];
	/** A request that works. */
	readonly example: {
		readonly query?: Readonly<Record<string, string>>;
		readonly body?: object;
		/** A shortened answer to it. */
		readonly answer: unknown;
	};
}

/** Endpoints by method and path, as in `GET /ping`. */
export type Operations = Readonly<Record<string, Operation>>;
