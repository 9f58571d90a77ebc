import type {EventType, Logger, Process, Supervisor} from '../lib/index.js';

const messages: Readonly<Record<EventType, string>> = {
	queued: 'A command was accepted',
	started: 'A process has started',
	stopping: 'A process is being ended',
	ready: 'A process is ready',
	ended: 'A process has ended',
	forgotten: 'A process was forgotten',
};

/** One line for each change of a process. Its command and its name stay out: people put secrets there. */
export function logChanges(supervisor: Pick<Supervisor, 'on'>, logger: Logger): void {
	for (const type of Object.keys(messages) as EventType[]) {
		supervisor.on(type, ({process}) => logger.info(factsOf(process), messages[type]));
	}
}

function factsOf({processId, executionId, status, pid, stopping, reason, exitCode, durationMs}: Process): object {
	return {
		processId,
		executionId,
		status,
		...(status === 'running' ? {pid} : {}),
		...(stopping === null ? {} : {stopping}),
		...(reason === null ? {} : {reason, exitCode, durationMs}),
	};
}
