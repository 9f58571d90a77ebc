/** Short ways to say what an answer holds. */
import type {JsonSchema} from './json-schema.js';

export function text(description: string, more: JsonSchema = {}): JsonSchema {
	return {type: 'string', description, ...more};
}

export function moment(description: string): JsonSchema {
	return text(description, {format: 'date-time'});
}

export function integer(description: string): JsonSchema {
	return {type: 'integer', minimum: 0, description};
}

export function number(description: string): JsonSchema {
	return {type: 'number', minimum: 0, description};
}

export function truth(description: string): JsonSchema {
	return {type: 'boolean', description};
}

export function oneOf(values: readonly string[], description: string): JsonSchema {
	return {type: 'string', enum: [...values], description};
}

export function list(items: JsonSchema, description: string): JsonSchema {
	return {type: 'array', items, description};
}

/** All fields are there, unless they are named as optional. */
export function object(properties: Record<string, JsonSchema>, optional: readonly string[] = []): JsonSchema {
	const required = Object.keys(properties).filter(name => !optional.includes(name));
	return {type: 'object', properties, required};
}

export function orNull(schema: JsonSchema): JsonSchema {
	const {description, ...rest} = schema;
	return {...(description === undefined ? {} : {description}), anyOf: [rest, {type: 'null'}]};
}

/** One of the document's own schemas. */
export function reference(name: string): JsonSchema {
	return {$ref: `#/components/schemas/${name}`};
}
