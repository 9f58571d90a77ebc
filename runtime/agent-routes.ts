import {arch, platform, release} from 'node:os';
import {languages} from './code.js';
import {refuseQuery} from './fields.js';
import type {Health} from './health.js';
import type {Metrics} from './metrics.js';
import type {Route} from './router.js';
import type {Statistics} from './statistics.js';

/** Who knows how the daemon is. */
export interface AgentParts {
	readonly version: string;
	readonly statistics: Statistics;
	readonly health: Pick<Health, 'json'>;
	readonly metrics: Pick<Metrics, 'render'>;
}

/** Endpoints that tell of the daemon itself and of its machine. */
export function agentRoutes({version, statistics, health, metrics}: AgentParts): Route[] {
	return [
		// Probes may add what keeps caches away.
		{method: 'GET', path: '/ping', scope: 'public', handle: () => ({json: {status: 'ok'}})},
		{method: 'GET', path: '/health', scope: 'public', handle: async () => ({json: await health.json()})},
		{method: 'GET', path: '/info', scope: 'read', handle: unasked(() => ({json: infoJson(version)}))},
		{
			method: 'GET',
			path: '/metrics/snapshot',
			scope: 'read',
			handle: unasked(({supervisor}) => ({json: statistics.snapshot(supervisor.state())})),
		},
		{method: 'GET', path: '/metrics/prometheus', scope: 'read', handle: unasked(() => metrics.render())},
		{
			method: 'GET',
			path: '/processes',
			scope: 'admin',
			handle: unasked(async () => {
				// Hardly anybody asks for them, so they take no memory before.
				const {listMachineProcesses} = await import('./machine-processes.js');
				const processes = await listMachineProcesses();
				return {json: {processes, count: processes.length}};
			}),
		},
	];
}

/** For a handler that is not to be asked for anything in particular. */
function unasked(handle: Route['handle']): Route['handle'] {
	return call => {
		refuseQuery(call.query);
		return handle(call);
	};
}

/** With the names that official clients know; what a virtual machine alone could tell is not there. */
function infoJson(version: string): object {
	const uptime = Math.floor(process.uptime());
	return {
		agent: 'nohupd',
		agent_version: version,
		version,
		os: platform(),
		os_release: release(),
		arch: arch(),
		node_version: process.versions.node,
		start_time: new Date(Date.now() - process.uptime() * 1000).toISOString(),
		uptime,
		uptime_seconds: uptime,
		features: {
			background_jobs: true,
			code_execution: true,
			process_management: true,
			system_metrics: true,
			desktop: false,
			file_operations: false,
			terminal_access: false,
			languages,
		},
	};
}
