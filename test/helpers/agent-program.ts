import {createInterface} from 'node:readline';
import {createSupervisor, type PortOverrides, type Supervisor} from '../../lib/index.js';

interface Request {
	readonly id: number;
	readonly call:
		| 'start'
		| 'get'
		| 'list'
		| 'kill'
		| 'wait'
		| 'ready'
		| 'write'
		| 'closeInput'
		| 'forget'
		| 'state'
		| 'close';
	readonly with: readonly unknown[];
}

/**
 * The program of an agent: `node PROGRAM STATE_DIR [OPTIONS_JSON]`. It opens a supervisor and
 * answers requests, one JSON line each: `{"id":1,"call":"start","with":[{"command":"true"}]}`.
 * Never closes by itself, so that it can be killed at any moment.
 */
export async function runAgent(ports: PortOverrides = {}): Promise<void> {
	const [stateDir = '', options = '{}'] = process.argv.slice(2);
	try {
		const supervisor = await createSupervisor({stateDir, ports, ...JSON.parse(options)});
		say({ready: true});
		createInterface({input: process.stdin}).on('line', line => void answer(supervisor, JSON.parse(line)));
	} catch (error) {
		say({failed: String(error)});
		process.exitCode = 1;
	}
}

async function answer(supervisor: Supervisor, {id, call, with: given}: Request): Promise<void> {
	try {
		const method = supervisor[call] as (...given: unknown[]) => unknown;
		say({id, result: (await method.apply(supervisor, [...given])) ?? null});
	} catch (error) {
		say({id, error: String(error)});
	}
}

function say(line: object): void {
	process.stdout.write(`${JSON.stringify(line)}\n`);
}
