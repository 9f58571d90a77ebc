import {
	type CommandInput,
	type GetOptions,
	type KillOptions,
	type ListOptions,
	type Process,
	type ProcessDetails,
	type ProcessId,
	ProcessNotFoundError,
	type ProcessPage,
	type StartOptions,
	type Supervisor,
	type SupervisorState,
	type WaitOptions,
} from '../lib/index.js';
import type {Caller} from './caller.js';

/**
 * The supervisor as one caller may use it: what a handler gets instead of the supervisor itself. Whatever the
 * supervisor learns to do must be decided on here too, or this does not compile.
 */
export type CallerSupervisor = Omit<Supervisor, 'stateDir' | 'on' | 'off' | 'close'>;

/** What is started belongs to the caller, and one that is limited to its own finds nobody else's. */
export function supervisorFor({subject, isLimitedToOwn}: Caller, supervisor: Supervisor): CallerSupervisor {
	if (isLimitedToOwn) {
		// Nobody is called the empty string, so a stranger owns nothing.
		return new OwnSupervisor(supervisor, subject ?? '');
	}

	return subject === null ? supervisor : new NamedSupervisor(supervisor, subject);
}

/** Signs what it starts. */
class NamedSupervisor implements CallerSupervisor {
	constructor(
		protected readonly supervisor: Supervisor,
		protected readonly owner: string,
	) {}

	start(command: CommandInput, options?: StartOptions): Promise<Process> {
		return this.supervisor.start(command, {...options, owner: this.owner});
	}

	startBody(body: unknown, options?: StartOptions): Promise<Process> {
		return this.supervisor.startBody(body, {...options, owner: this.owner});
	}

	get(processId: ProcessId, options?: GetOptions): Promise<ProcessDetails> {
		return this.supervisor.get(processId, options);
	}

	list(options?: ListOptions): Promise<ProcessPage> {
		return this.supervisor.list(options);
	}

	kill(processId: ProcessId, options?: KillOptions): Promise<Process> {
		return this.supervisor.kill(processId, options);
	}

	signal(processId: ProcessId, signal: NodeJS.Signals): Promise<Process> {
		return this.supervisor.signal(processId, signal);
	}

	wait(processId: ProcessId, options?: WaitOptions): Promise<Process> {
		return this.supervisor.wait(processId, options);
	}

	state(): SupervisorState {
		return this.supervisor.state();
	}
}

/** Others' processes do not exist for it. */
class OwnSupervisor extends NamedSupervisor {
	override async get(processId: ProcessId, options?: GetOptions): Promise<ProcessDetails> {
		await this.#assertOwn(processId);
		return super.get(processId, options);
	}

	override list(options?: ListOptions): Promise<ProcessPage> {
		return super.list({...options, owner: this.owner});
	}

	override async kill(processId: ProcessId, options?: KillOptions): Promise<Process> {
		await this.#assertOwn(processId);
		return super.kill(processId, options);
	}

	override async signal(processId: ProcessId, signal: NodeJS.Signals): Promise<Process> {
		await this.#assertOwn(processId);
		return super.signal(processId, signal);
	}

	override async wait(processId: ProcessId, options?: WaitOptions): Promise<Process> {
		await this.#assertOwn(processId);
		return super.wait(processId, options);
	}

	/** In the words of the library: whose it is must not show. */
	async #assertOwn(processId: ProcessId): Promise<void> {
		const {owner} = await this.supervisor.get(processId, {tailBytes: 0});
		if (owner !== this.owner) {
			throw new ProcessNotFoundError(processId);
		}
	}
}
