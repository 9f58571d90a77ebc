import {once} from 'node:events';
import {existsSync, readFileSync} from 'node:fs';
import {type AddressInfo, createServer} from 'node:net';
import {join} from 'node:path';
import {createSupervisor} from '../../../lib/index.js';
import {eventually} from '../../helpers/eventually.js';
import {withDaemon} from '../http-runner.js';
import {nowMs} from '../moments.js';
import {median} from '../statistics.js';

/** Someone who starts servers. */
interface Starter {
	/** Settles with an id when it runs. */
	start(body: {command: string; ready: {port: number}}): Promise<string>;
	/** Settles when whoever started it is told that it is ready. */
	ready(processId: string): Promise<unknown>;
	kill(processId: string): Promise<unknown>;
}

export interface ReadyOptions {
	readonly count: number;
}

/** From the opening of a port until whoever waits for it is told. */
export async function measureReady(contender: string, dir: string, options: ReadyOptions) {
	return contender === 'http' ? measureHttp(dir, options) : measureLibrary(dir, options);
}

async function measureLibrary(dir: string, options: ReadyOptions) {
	const supervisor = await createSupervisor({stateDir: join(dir, 'state')});
	const figures = await measure(dir, options, {
		start: async body => (await supervisor.startBody(body)).processId,
		ready: processId => supervisor.ready(processId),
		kill: processId => supervisor.kill(processId),
	});
	await supervisor.close();
	return figures;
}

function measureHttp(dir: string, options: ReadyOptions) {
	return withDaemon(dir, 2, client =>
		measure(dir, options, {
			start: async body => String((await client.askJson('POST', '/commands/background', body)).process_id),
			ready: processId => client.ask('GET', `/execute/processes/${processId}/ready?timeout=30`),
			kill: processId => client.ask('DELETE', '/execute/kill', {process_id: processId}),
		}),
	);
}

async function measure(dir: string, {count}: ReadyOptions, starter: Starter) {
	const readyMs: number[] = [];
	for (let i = 0; i < count; i++) {
		const path = join(dir, `opened-at-${i}`);
		const port = await freePort();
		const processId = await starter.start({command: server(port, path), ready: {port}});
		await starter.ready(processId);
		const toldAt = nowMs();
		// The port is open before its server knows: it may still be writing.
		const openedAt = await eventually(() => existsSync(path) && readFileSync(path, 'latin1'));
		readyMs.push(toldAt - Number(openedAt));
		await starter.kill(processId);
	}

	return {readyMs: median(readyMs), longestMs: Math.max(...readyMs)};
}

/** Writes down the time when its port is open. */
function server(port: number, path: string): string {
	const opened = `fs.writeFileSync('${path}', String(performance.timeOrigin + performance.now()))`;
	return `exec '${process.execPath}' -e "net.createServer().listen(${port}, '127.0.0.1', () => ${opened})"`;
}

async function freePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const {port} = server.address() as AddressInfo;
	server.close();
	await once(server, 'close');
	return port;
}
