import {fork} from 'node:child_process';
import {once} from 'node:events';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {Client, withDaemon} from '../http-runner.js';

const bareServer = fileURLToPath(new URL('bare-server.js', import.meta.url));
const connections = 32;
const listed = 20;
const path = `/execute/processes?limit=${listed}&tail_bytes=0`;

export interface RequestsOptions {
	readonly forMs: number;
}

/** A list of 20, asked for on 32 connections; or a bare server that answers the same bytes. */
export async function measureRequests(contender: string, dir: string, options: RequestsOptions) {
	if (contender !== 'bare') {
		return withList(dir, client => ask(client, options));
	}

	const bodyPath = join(dir, 'body');
	writeFileSync(bodyPath, await withList(dir, client => client.ask('GET', path)));
	const child = fork(bareServer, [bodyPath]);
	const [port] = await once(child, 'message');
	const client = new Client(Number(port), 'none', connections);
	const figures = await ask(client, options);
	client.close();
	child.kill();
	await once(child, 'exit');
	return figures;
}

function withList<T>(dir: string, work: (client: Client) => Promise<T>): Promise<T> {
	return withDaemon(dir, connections, async client => {
		for (let i = 0; i < listed; i++) {
			await client.ask('POST', '/commands/background', {command: 'true'});
		}

		return work(client);
	});
}

async function ask(client: Client, {forMs}: RequestsOptions) {
	const begin = performance.now();
	let count = 0;
	const lane = async () => {
		while (performance.now() < begin + forMs) {
			await client.ask('GET', path);
			count++;
		}
	};
	await Promise.all(Array.from({length: connections}, lane));
	return {perSecond: (count * 1000) / (performance.now() - begin)};
}
