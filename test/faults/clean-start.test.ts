import {readdirSync, readlinkSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {Agent, type Surroundings} from '../helpers/agent-client.js';
import {eventually} from '../helpers/eventually.js';
import {readProc} from '../helpers/processes.js';
import {makeStateDir} from '../helpers/state-dir.js';
import {keeperPid} from '../helpers/state-files.js';

/** What the kernel says of a command that was started by an agent, and of that agent. */
async function startBy(t: ExecutionContext, surroundings: Surroundings) {
	const stateDir = makeStateDir(t);
	const agent = await Agent.open(t, stateDir, {}, surroundings);
	const {processId, pid} = await agent.start({command: 'sleep', args: ['60']});
	const command = Number(pid);
	await eventually(() => readProc(command, 'cmdline') === 'sleep\u000060\0');
	return {agent, command, stateDir, runDir: join(stateDir, 'runs', processId), processId};
}

/** One line of /proc/<pid>/status. */
function statusOf(pid: number, field: string): string {
	return (
		readProc(pid, 'status')
			.split('\n')
			.find(line => line.startsWith(`${field}:`))
			?.slice(field.length + 1)
			.trim() ?? ''
	);
}

/** Descriptor numbers and what they lead to. */
function descriptorsOf(pid: number): Record<string, string> {
	const directory = `/proc/${pid}/fd`;
	return Object.fromEntries(
		readdirSync(directory).flatMap(name => {
			try {
				return [[name, readlinkSync(join(directory, name))]];
			} catch {
				// Closed since it was listed.
				return [];
			}
		}),
	);
}

/** Once it has closed the files that any program opens as it begins: libraries, those of its locale. */
async function descriptorsAtRest(pid: number): Promise<Record<string, string>> {
	return eventually(
		() => descriptorsOf(pid),
		open => Object.keys(open).length <= 3,
	);
}

/** Becomes the agent after some shell commands. */
function after(commands: string): Surroundings {
	return {through: ['bash', '-c', `${commands}; exec "$@"`, 'bash']};
}

test('7: no signal is ignored or blocked in a command, also when the agent itself ignores them', async t => {
	const {agent, command, processId} = await startBy(t, after("trap '' HUP INT QUIT TERM PIPE USR1 TSTP TTOU CHLD"));

	t.is(statusOf(command, 'SigIgn'), '0000000000000000');
	t.is(statusOf(command, 'SigBlk'), '0000000000000000');
	t.like(await agent.killProcess(processId), {status: 'killed', signal: 'SIGTERM'});
});

test('7: a shell line starts with no signal ignored or blocked', async t => {
	const stateDir = makeStateDir(t);
	const agent = await Agent.open(t, stateDir);

	const {processId} = await agent.start({command: 'grep -E "^Sig(Ign|Blk)" /proc/self/status; :'});
	await agent.wait(processId);

	t.is((await agent.get(processId)).stdout, 'SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n');
});

test('7: nothing but its own three descriptors is open in a command', async t => {
	const {agent, command, processId, runDir} = await startBy(t, {});

	t.deepEqual(await descriptorsAtRest(command), {
		0: '/dev/null',
		1: join(runDir, 'stdout'),
		2: join(runDir, 'stderr'),
	});
	await agent.killProcess(processId);
});

test('7: what the agent inherited is open neither in a command nor in the keeper', async t => {
	const inherited = 'exec 3</etc/passwd 7<>/etc/hostname 19</etc/passwd 254</etc/passwd 255</etc/passwd';
	const {agent, command, processId, runDir, stateDir} = await startBy(t, after(inherited));

	t.is(descriptorsOf(agent.pid)['255'], '/etc/passwd');
	t.deepEqual(await descriptorsAtRest(command), {
		0: '/dev/null',
		1: join(runDir, 'stdout'),
		2: join(runDir, 'stderr'),
	});
	t.deepEqual(
		Object.values(descriptorsOf(await keeperPid(stateDir))).filter(path => path.startsWith('/etc/')),
		[],
	);
	await agent.killProcess(processId);
});

test('7: a command leads a process group of its own, apart from its shim, the keeper and the agent', async t => {
	const {agent, command, processId} = await startBy(t, {});
	const groupOf = (pid: number) => readProc(pid, 'stat').split(') ')[1]?.split(' ')[2];
	const shim = Number(statusOf(command, 'PPid'));

	t.is(groupOf(command), String(command));
	t.is(new Set([command, shim, Number(statusOf(shim, 'PPid')), agent.pid].map(groupOf)).size, 4);
	await agent.killProcess(processId);
});

test('7: umask and limits of a command are those of the agent', async t => {
	const {agent, command, processId} = await startBy(t, after('umask 026; ulimit -c 4096 -n 1234 -s 4096'));

	t.is(statusOf(command, 'Umask'), '0026');
	t.is(readProc(command, 'limits'), readProc(agent.pid, 'limits'));
	t.regex(readProc(command, 'limits'), /Max open files +1234 +1234/);
	await agent.killProcess(processId);
});

test('7: a command has no controlling terminal', async t => {
	const {agent, command, processId} = await startBy(t, {});
	const terminal = readProc(command, 'stat').split(') ')[1]?.split(' ')[4];

	t.is(terminal, '0');
	await agent.killProcess(processId);
});
