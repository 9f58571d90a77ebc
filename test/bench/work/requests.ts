import {fork} from 'node:child_process';
import {once} from 'node:events';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {BenchDaemon, Client} from '../http-runner.js';

const bareServer = fileURLToPath(new URL('bare-server.js', import.meta.url));
const connections = 32;
const listed = 20;
const path = `/execute/processes?limit=${listed}&tail_bytes=0`;

/** A list of 20, asked for on 32 connections; beside it a bare server that answers the same bytes. */
export async function measureRequests(dir: string, {forMs}: {forMs: number}) {
	const daemon = await BenchDaemon.open(dir);
	const client = await daemon.client(connections);
	for (let i = 0; i < listed; i++) {
		await client.ask('POST', '/commands/background', {command: 'true'});
	}

	const text = await client.ask('GET', path);
	const perSecond = await ask(client, forMs);
	client.close();
	await daemon.close();
	const barePerSecond = await askBare(dir, text, forMs);
	return {perSecond, barePerSecond, ratio: perSecond / barePerSecond};
}

async function askBare(dir: string, text: string, forMs: number): Promise<number> {
	const bodyPath = join(dir, 'body');
	writeFileSync(bodyPath, text);
	const child = fork(bareServer, [bodyPath]);
	const [port] = await once(child, 'message');
	const client = new Client(Number(port), 'none', connections);
	const perSecond = await ask(client, forMs);
	client.close();
	child.kill();
	await once(child, 'exit');
	return perSecond;
}

async function ask(client: Client, forMs: number): Promise<number> {
	const begin = performance.now();
	let count = 0;
	const lane = async () => {
		while (performance.now() < begin + forMs) {
			await client.ask('GET', path);
			count++;
		}
	};
	await Promise.all(Array.from({length: connections}, lane));
	return (count * 1000) / (performance.now() - begin);
}
