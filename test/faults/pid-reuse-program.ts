/**
 * Runs in a pid namespace of its own: `node pid-reuse-program.js STATE_DIR CONTAINMENT WAY SHAPE`. A command ends behind its
 * supervisor's back, a stranger gets its pid and its group, and then what could end the command is set in motion.
 * Writes what became of both as one line of JSON.
 */
import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {writeFileSync} from 'node:fs';
import {createSupervisor, type Process, type Supervisor} from '../../lib/index.js';
import {eventually} from '../helpers/eventually.js';
import {findProcesses, isAlive, killQuietly, parentOf} from '../helpers/processes.js';
import {editDatabase, keeperPid, makeOverdue, readRecord} from '../helpers/state-files.js';

const [stateDir = '', containment = '', way = '', shape = ''] = process.argv.slice(2);

/** What to run, and what sets its end in motion once somebody else has its pid. */
interface Way {
	readonly command: string;
	/** Before the stranger comes, no supervisor lives. */
	readonly prepare?: (processId: string) => void;
	readonly end: (processId: string, keeper: number) => Promise<Partial<Process>>;
}

const ways: Readonly<Record<string, Way>> = {
	lost: {
		command: 'exec sleep 1000',
		end: processId => withSupervisor(supervisor => supervisor.wait(processId)),
	},
	kill: {
		command: 'exec sleep 1000',
		end: processId => withSupervisor(supervisor => supervisor.kill(processId)),
	},
	timeout: {
		command: 'exec sleep 1000',
		prepare: () => editDatabase(stateDir, 'UPDATE processes SET timeout_ms = 1'),
		end: processId => withSupervisor(supervisor => supervisor.wait(processId)),
	},
	leftover: {
		command: 'setsid sleep 1000 & exit 3',
		end: processId => withSupervisor(supervisor => supervisor.kill(processId)),
	},
	'dead-man': {
		command: 'exec sleep 1000',
		prepare: processId => makeOverdue(stateDir, processId),
		end: async (processId, keeper) => {
			await eventually(() => !isAlive(keeper));
			// A cgroup tells that nothing is left to be ended; without one the stranger's group looks like the command's.
			if (containment === 'session' && !/^K/m.test(readRecord(stateDir, processId))) {
				raise('The deadline was not held');
			}

			return {};
		},
	},
	'dead-man-leftover': {
		command: 'setsid sleep 1000 & exit 3',
		prepare: processId => makeOverdue(stateDir, processId),
		end: async (processId, keeper) => {
			await eventually(() => carriers(processId).length === 0);
			await eventually(() => !isAlive(keeper));
			return {};
		},
	},
};

/** Who gets the pid, as a shell line; it knows nothing of our cookies. */
const strangers: Readonly<Record<string, string>> = {
	leader: 'exec sleep 1000',
	// Whoever is left in the group when the one with the pid has gone.
	member: 'sleep 1000 & exit',
};

await main(ways[way]);

async function main(chosen: Way | undefined): Promise<void> {
	const {command, prepare, end} = chosen ?? raise(`No way ${way}`);
	const supervisor = await open();
	const started = await supervisor.start({command});
	const {processId} = started;
	const pid = Number(started.pid);
	if (command.includes('exit')) {
		await supervisor.wait(processId);
		await eventually(() => carriers(processId).length === 1);
	}

	const sibling = shape === 'sibling' ? await letSiblingTakePid(supervisor, pid) : null;
	// What it does when its supervisor is gone is to begin when the stranger is there.
	const keeper = await keeperPid(stateDir);
	process.kill(keeper, 'SIGSTOP');
	await supervisor.close();
	endBehindItsBack(pid);
	prepare?.(processId);
	const stranger = sibling ?? (await takePid(pid));
	process.kill(keeper, 'SIGCONT');
	const ended = await end(processId, keeper);
	const {status = null, reason = null, exitCode = null} = ended;
	const left = carriers(processId).length;
	process.stdout.write(`${JSON.stringify({isStrangerAlive: isAlive(stranger), left, status, reason, exitCode})}\n`);
	killQuietly(stranger);
}

function open(): Promise<Supervisor> {
	return createSupervisor({stateDir, containment: containment === 'session' ? 'session' : 'auto', gracePeriodMs: 200});
}

async function withSupervisor(work: (supervisor: Supervisor) => Promise<Process>): Promise<Process> {
	const supervisor = await open();
	const result = await work(supervisor);
	await supervisor.close();
	return result;
}

/** Its shim first, so that nobody writes how it ended. */
function endBehindItsBack(pid: number): void {
	if (isAlive(pid)) {
		killQuietly(parentOf(pid));
		killQuietly(pid);
	}
}

/** Settles with the pid of the stranger who is to live: the one who took the given pid, or its child. */
async function takePid(pid: number): Promise<number> {
	// Also as a zombie it would keep its number.
	await eventually(() => !Number.isInteger(parentOf(pid)));
	for (;;) {
		// The next process gets the next number (pid_namespaces(7)), unless somebody forks in between.
		writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1));
		const child = spawn('bash', ['-c', strangers[shape] ?? ''], {
			detached: true,
			env: {STRANGER: 'yes'},
			stdio: 'ignore',
		});
		if (child.pid === pid) {
			return shape === 'member' ? onlyChild(child) : pid;
		}

		killQuietly(Number(child.pid));
		await once(child, 'exit');
	}
}

/** Another command of the same keeper, and so of the same session. What is left of its group is nobody else's. */
async function letSiblingTakePid(supervisor: Supervisor, pid: number): Promise<number> {
	await eventually(() => !Number.isInteger(parentOf(pid)));
	for (;;) {
		// Its shim is the next process, the command the one after.
		writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 2));
		const sibling = await supervisor.start({command: 'sleep 1000 & exit', timeoutMs: 0});
		await supervisor.wait(sibling.processId);
		if (sibling.pid === pid) {
			return Number(carriers(sibling.processId)[0]);
		}

		await supervisor.kill(sibling.processId, {gracePeriodMs: 0});
	}
}

async function onlyChild(child: ChildProcess): Promise<number> {
	await once(child, 'exit');
	const found = await eventually(
		() => findProcesses('STRANGER=yes'),
		pids => pids.length === 1,
	);
	return Number(found[0]);
}

function carriers(processId: string): number[] {
	return findProcesses(`NOHUPD_PROCESS_ID=${processId}`);
}

function raise(message: string): never {
	throw new Error(message);
}
