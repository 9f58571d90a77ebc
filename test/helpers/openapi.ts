import {Ajv2020, type ValidateFunction} from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

/** As much of an OpenAPI document as the tests read. */
export interface Document {
	readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
	readonly components: {readonly schemas: Readonly<Record<string, object>>};
}

export interface DescribedOperation {
	readonly operationId: string;
	readonly summary: string;
	readonly security: readonly object[];
	readonly parameters: readonly Parameter[];
	readonly requestBody?: {readonly content: Readonly<Record<string, Content>>};
	readonly responses: Readonly<Record<string, {readonly content: Readonly<Record<string, Content>>}>>;
}

export interface Parameter {
	readonly name: string;
	readonly in: 'path' | 'query' | 'header';
	readonly schema: object;
	readonly description?: string;
	readonly example?: string | number;
}

export interface Content {
	readonly schema: Schema;
	readonly example?: unknown;
	readonly examples?: Readonly<Record<string, {readonly value: unknown}>>;
}

export interface Schema {
	readonly type?: string;
	readonly properties?: Readonly<Record<string, Schema & {readonly description?: string}>>;
}

export interface Endpoint {
	readonly method: string;
	readonly path: string;
	readonly operation: DescribedOperation;
}

export function listEndpoints({paths}: Document): Endpoint[] {
	return Object.entries(paths).flatMap(([path, operations]) =>
		Object.entries(operations).map(([method, operation]) => ({method: method.toUpperCase(), path, operation})),
	);
}

/** Checks values by a schema of the document. An answer may have no field that the document does not know. */
export function createChecker({components}: Document): (schema: object) => ValidateFunction {
	const ajv = new Ajv2020({strict: false, allErrors: true});
	// The package is CommonJS, and its types say otherwise.
	(formats as unknown as (ajv: Ajv2020) => void)(ajv);
	return schema => ajv.compile(closed({...schema, components}) as object);
}

/** The same schema, with objects that have just the fields that are named. */
function closed(schema: unknown): unknown {
	if (Array.isArray(schema)) {
		return schema.map(closed);
	}

	if (typeof schema !== 'object' || schema === null) {
		return schema;
	}

	const parts = Object.fromEntries(Object.entries(schema).map(([name, part]) => [name, closed(part)]));
	return 'properties' in schema ? {additionalProperties: false, ...parts} : parts;
}

/** The content of an answer with this status, whatever its type. */
export function answerOf({responses}: DescribedOperation, status: number): [type: string, content: Content] {
	const [found] = Object.entries(responses[status]?.content ?? {});
	if (found === undefined) {
		throw new Error(`No answer with status ${status} is described`);
	}

	return found;
}
