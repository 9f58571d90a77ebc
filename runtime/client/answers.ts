/** What the daemon answers, as far as the command line looks at it. */
import * as v from 'valibot';
import {CannotError} from '../failure.js';

const text = v.nullable(v.string());

const processSchema = v.looseObject({
	process_id: v.string(),
	name: text,
	status: v.string(),
	reason: text,
	message: text,
	command: v.string(),
	args: v.nullable(v.array(v.string())),
	exit_code: v.nullable(v.number()),
	signal: text,
	timeout: v.number(),
	execution_time: v.nullable(v.number()),
	created_at: v.string(),
	ready_at: v.optional(text),
	ready_timed_out_at: v.optional(text),
});

/** One process. */
export type ShownProcess = v.InferOutput<typeof processSchema>;

/** Whether a process with this status has not ended. */
export function isLive(status: string): boolean {
	return status === 'running' || status === 'queued';
}

const pageSchema = v.object({
	processes: v.array(processSchema),
	next_cursor: v.optional(v.string()),
});

/** A part of the list. */
export type Page = v.InferOutput<typeof pageSchema>;

const startedSchema = v.object({process_id: v.string()});
const messageSchema = v.object({message: v.string()});
const healthSchema = v.object({
	version: v.string(),
	containment: v.string(),
	warnings: v.optional(v.array(v.string()), []),
});

/** What a daemon says of itself. */
export type Health = v.InferOutput<typeof healthSchema>;

const eventSchema = v.object({at: v.string(), why: v.optional(v.string()), process: processSchema});

const chunkSchema = v.object({text: v.string(), encoding: v.optional(v.literal('base64'))});
const gapSchema = v.object({from: v.number(), to: v.number()});

/** Readers of JSON. Each throws `CannotError` for what is not of its kind. */
export const readProcess = reader(processSchema);
export const readPage = reader(pageSchema);
export const readStarted = reader(startedSchema);
export const readMessage = reader(messageSchema);
export const readHealth = reader(healthSchema);
export const readChunk = reader(chunkSchema);
export const readGap = reader(gapSchema);
export const readEvent = reader(eventSchema);

function reader<Schema extends v.GenericSchema>(schema: Schema): (json: string) => v.InferOutput<Schema> {
	const whole = v.pipe(v.string(), v.parseJson(), schema);
	return json => {
		const parsed = v.safeParse(whole, json);
		if (!parsed.success) {
			throw new CannotError('The answer makes no sense: is it nohupd that answers there, of this version?');
		}

		// The schema's own output, which the generic pipe does not carry.
		return parsed.output as v.InferOutput<Schema>;
	};
}
