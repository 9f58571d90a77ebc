import {type JsonSchema, toJsonSchema} from '@valibot/to-json-schema';
import type * as v from 'valibot';
import {commandBodySchema} from '../../lib/index.js';

export type {JsonSchema};

/** JSON Schema of what a schema takes. Checks that JSON Schema has no words for are left out. */
export function asJsonSchema(schema: v.GenericSchema): JsonSchema {
	const {$schema, ...converted} = toJsonSchema(schema, {
		target: 'draft-2020-12',
		typeMode: 'input',
		// Checks by functions; what lacks a type because of them, a test finds.
		errorMode: 'ignore',
		overrideSchema: ({valibotSchema, jsonSchema}) =>
			handMade.get(valibotSchema)?.() ?? withDefaultOfItsType(jsonSchema),
		overrideAction: ({valibotAction}) => ownWords(valibotAction),
	});
	return converted;
}

const {env, limits, ready} = commandBodySchema.entries;
const [anyObject, limitFields] = limits.wrapped.pipe;
const [anySign, signFields] = ready.wrapped.pipe[0].pipe;

/** What is checked by a function of ours. */
const handMade: ReadonlyMap<unknown, () => JsonSchema> = new Map<unknown, () => JsonSchema>([
	[env.wrapped.pipe[0], () => ({type: 'object', additionalProperties: {type: 'string'}})],
	[anyObject, () => asJsonSchema(limitFields)],
	[anySign, () => asJsonSchema(signFields)],
]);

/** What a schema says of itself, where it is something else to others than to us. */
function ownWords(action: object): JsonSchema | null {
	const {metadata} = action as {metadata?: {jsonSchema?: JsonSchema}};
	return metadata?.jsonSchema ?? null;
}

/** What arrives as text has its default as text. */
function withDefaultOfItsType(schema: JsonSchema): JsonSchema | null {
	const isNumber = schema.type === 'integer' || schema.type === 'number';
	return isNumber && typeof schema.default === 'string' ? {...schema, default: Number(schema.default)} : null;
}
