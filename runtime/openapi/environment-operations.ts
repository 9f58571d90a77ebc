import {replaceSchema, updateSchema} from '../environment-routes.js';
import type {Operation, Operations} from './operation.js';
import {object} from './words.js';

const shared = {
	tag: 'Environment',
	fields: {
		env_vars: 'Values by name, at most 131,072 bytes all together.',
		merge: 'Whether those that are not given stay.',
	},
	answer: object({
		env_vars: {type: 'object', additionalProperties: {type: 'string'}, description: 'All that are set now.'},
	}),
} as const satisfies Partial<Operation>;

/** Endpoints of the variables that all commands share. */
export const environmentOperations: Operations = {
	'GET /env': {
		...shared,
		id: 'getEnvironment',
		summary: 'Show the variables that all later commands get',
		description: 'They win over what the daemon inherits; what a command brings wins over them.',
		example: {answer: {env_vars: {LANG: 'C'}}},
	},
	'PUT /env': {
		...shared,
		id: 'replaceEnvironment',
		summary: 'Replace all of them',
		body: replaceSchema,
		problems: ['INSUFFICIENT_STORAGE'],
		example: {body: {env_vars: {LANG: 'C'}}, answer: {env_vars: {LANG: 'C'}}},
	},
	'PATCH /env': {
		...shared,
		id: 'updateEnvironment',
		summary: 'Set some of them',
		body: updateSchema,
		problems: ['INSUFFICIENT_STORAGE'],
		example: {body: {env_vars: {TZ: 'UTC'}, merge: true}, answer: {env_vars: {LANG: 'C', TZ: 'UTC'}}},
	},
	'DELETE /env': {
		...shared,
		id: 'clearEnvironment',
		summary: 'Remove all of them',
		problems: ['INSUFFICIENT_STORAGE'],
		example: {answer: {env_vars: {}}},
	},
};
