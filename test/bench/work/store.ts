import {join} from 'node:path';
import Database from 'better-sqlite3';
import {createSupervisor} from '../../../lib/index.js';
import {BenchDaemon, type Client, untilIdle, withDaemon} from '../http-runner.js';
import {type Sleepers, startSleepers} from '../sleepers.js';
import {median} from '../statistics.js';

const pages = 50;

export interface StoreOptions {
	readonly running: number;
	readonly ended: number;
}

/** Until a daemon answers that has been there before, with nothing or with much to take over; and a page of its list. */
export async function measureStore(contender: string, dir: string, options: StoreOptions) {
	const sleepers = contender === 'empty' ? null : await fill(join(dir, 'state'), options);
	await (await BenchDaemon.open(dir)).close();
	const begin = performance.now();
	return withDaemon(dir, 1, async client => {
		await client.ask('GET', '/ping');
		const figures = {answersMs: performance.now() - begin, pageMs: await measurePage(client)};
		await sleepers?.end();
		// Their cgroups are removed by the daemon alone.
		await untilIdle(client);
		return figures;
	});
}

async function measurePage(client: Client): Promise<number> {
	const times: number[] = [];
	for (let i = 0; i < pages; i++) {
		const begin = performance.now();
		await client.ask('GET', '/execute/processes?limit=100&tail_bytes=0');
		times.push(performance.now() - begin);
	}

	return median(times);
}

/** One process that really ended, many times over; then those that run, which are the newest. */
async function fill(stateDir: string, {running, ended}: StoreOptions): Promise<Sleepers> {
	const first = await createSupervisor({stateDir});
	const {processId} = await first.start({command: 'true'});
	await first.wait(processId);
	await first.close();
	multiply(join(stateDir, 'nohupd.db'), ended);
	const supervisor = await createSupervisor({stateDir});
	const sleepers = await startSleepers(command => supervisor.start({command, timeoutMs: 0}), running);
	await supervisor.close();
	return sleepers;
}

function multiply(path: string, count: number): void {
	const database = new Database(path);
	const columns = (database.pragma('table_info(processes)') as {name: string}[])
		.map(({name}) => name)
		.filter(name => name !== 'sequence');
	// Counted, as all but the newest are: what was not is looked at once more at a start.
	const changed: Record<string, string> = {process_id: `process_id || printf('%06d', value)`, output_bytes: '0'};
	const copied = columns.map(name => changed[name] ?? name);
	database.exec(`
		WITH RECURSIVE numbers(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers WHERE value < ${count})
		INSERT INTO processes (${columns.join()}) SELECT ${copied.join()} FROM processes, numbers`);
	database.close();
}
