// An agent with a supervisor in it. Run it twice with one directory: the second run finds what the first one started.
//
//   node test/examples/agent.mjs /tmp/agent-state
import {createSupervisor} from 'nohupd';

const [stateDir = '.nohupd'] = process.argv.slice(2);
const supervisor = await createSupervisor({stateDir});

supervisor.on('started', ({process: {name, pid}}) => console.log(`${name} runs as pid ${pid}`));
supervisor.on('ended', ({process: {name, status, exitCode}}) =>
	console.log(`${name} ${status}, exit code ${exitCode}`),
);

const {processes} = await supervisor.list({name: 'build'});
const [earlier] = processes;
if (earlier === undefined) {
	const {processId} = await supervisor.start({
		command: 'echo compiling; sleep 1; echo compiled',
		name: 'build',
		timeoutMs: 600_000,
	});
	console.log(`started ${processId}; this agent goes, the command stays`);
} else {
	const {processId} = earlier;
	await supervisor.wait(processId);
	const {status, stdout} = await supervisor.get(processId);
	console.log(`found ${processId}: ${status}, and it said ${JSON.stringify(stdout)}`);
}

await supervisor.close();
