import type {Logger} from '../../lib/index.js';

export interface LogEntry {
	readonly level: keyof Logger;
	readonly facts: object;
	readonly message: string;
}

/** Keeps what it is told. */
export class RecordingLogger implements Logger {
	readonly entries: LogEntry[] = [];

	debug(facts: object, message: string): void {
		this.entries.push({level: 'debug', facts, message});
	}

	info(facts: object, message: string): void {
		this.entries.push({level: 'info', facts, message});
	}

	warn(facts: object, message: string): void {
		this.entries.push({level: 'warn', facts, message});
	}

	error(facts: object, message: string): void {
		this.entries.push({level: 'error', facts, message});
	}
}
