import {type AgentParts, agentRoutes} from './agent-routes.js';
import {commandRoutes} from './command-routes.js';
import type {EnvironmentFile} from './environment-file.js';
import {environmentRoutes} from './environment-routes.js';
import {refuseQuery} from './fields.js';
import {processRoutes} from './process-routes.js';
import type {Answer, Route} from './router.js';
import {streamRoutes} from './stream-routes.js';

/** What handlers need beside the supervisor, which they get from the call: as its caller may use it. */
export interface RouteParts extends AgentParts {
	readonly environment: EnvironmentFile;
	/** Stands in for the directory that official clients ask for. */
	readonly workspace?: string | undefined;
	readonly now?: () => number;
}

/** All endpoints. */
export function createRoutes({workspace, now = Date.now, ...parts}: RouteParts): Route[] {
	const {version, environment} = parts;
	const routes: Route[] = [
		...agentRoutes(parts),
		...commandRoutes(workspace),
		...processRoutes(now),
		...streamRoutes(now),
		...environmentRoutes(environment),
		{
			method: 'GET',
			path: '/openapi.json',
			scope: 'read',
			handle: ({query}) => {
				refuseQuery(query);
				return describeRoutes(routes, version);
			},
		},
	];
	return routes;
}

async function describeRoutes(routes: readonly Route[], version: string): Promise<Answer> {
	// Hardly anybody asks for it, so it takes no memory before.
	const {buildDocument} = await import('./openapi/document.js');
	return {json: buildDocument(routes, version)};
}
