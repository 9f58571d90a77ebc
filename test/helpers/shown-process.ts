import type {ShownProcess} from '../../runtime/client/answers.js';

/** A process as the daemon answers it: one that runs, unless something else is said. */
export function aShownProcess(given: Partial<ShownProcess> = {}): ShownProcess {
	return {
		process_id: `proc_${'0123456789abcdef'.repeat(2)}`,
		name: null,
		status: 'running',
		reason: null,
		message: null,
		command: 'sleep 600',
		args: null,
		exit_code: null,
		signal: null,
		timeout: 300,
		execution_time: 1,
		created_at: '2026-01-01T00:00:00.000Z',
		...given,
	};
}

/** An id that begins with some digits. */
export function anId(digits: string): string {
	return `proc_${digits.padEnd(32, '0')}`;
}
