import {join} from 'node:path';
import {createSupervisor} from '../../../lib/index.js';
import {type Client, withDaemon} from '../http-runner.js';

const readers = 10;

export interface FollowersOptions {
	readonly bytes: number;
}

/** Ten who read all that one command writes: while it does, in the library and over HTTP, or afterwards as exact bytes. */
export function measureFollowers(contender: string, dir: string, options: FollowersOptions) {
	if (contender === 'library') {
		return followLibrary(dir, options);
	}

	return withDaemon(dir, readers, client => (contender === 'raw' ? readRaw : followStream)(client, options));
}

async function followLibrary(dir: string, {bytes}: FollowersOptions) {
	const supervisor = await createSupervisor({stateDir: join(dir, 'state')});
	const figures = await together(bytes, async () => {
		const {processId} = await supervisor.start({command: writer(bytes)});
		return async () => {
			let read = 0;
			for await (const chunk of supervisor.output(processId).follow()) {
				read += chunk.bytes.length;
			}

			return read;
		};
	});
	await supervisor.close();
	return figures;
}

function followStream(client: Client, {bytes}: FollowersOptions) {
	return together(bytes, async () => reading(client, `${await start(client, bytes)}/stream`));
}

async function readRaw(client: Client, {bytes}: FollowersOptions) {
	const path = await start(client, bytes);
	await client.ask('GET', `${path}/wait?timeout=60`);
	return together(bytes, async () => reading(client, `${path}/output?format=raw`));
}

async function start(client: Client, bytes: number): Promise<string> {
	const {process_id: processId} = await client.askJson('POST', '/commands/background', {command: writer(bytes)});
	return `/execute/processes/${processId}`;
}

/** What comes is only counted: it is the daemon that is measured. */
function reading(client: Client, path: string): () => Promise<number> {
	return async () => {
		let received = 0;
		for await (const chunk of await client.open(path)) {
			received += chunk.length;
		}

		return received;
	};
}

/** Lines as programs write them. */
function writer(bytes: number): string {
	return `yes 'compiled 1,024 modules in 3.2 s, of which 17 had warnings that nobody reads' | head -c ${bytes}`;
}

/** How many megabytes of output all of them read in a second. Throws where one was given less than there is. */
async function together(bytes: number, begin: () => Promise<() => Promise<number>>) {
	const beganAt = performance.now();
	const read = await begin();
	const counts = await Promise.all(Array.from({length: readers}, read));
	const seconds = (performance.now() - beganAt) / 1000;
	if (counts.some(count => count < bytes)) {
		throw new Error(`${bytes} bytes were written, and read were ${counts}`);
	}

	return {megabytesPerSecond: (readers * bytes) / 1e6 / seconds};
}
