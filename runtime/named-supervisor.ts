import type {
	CommandInput,
	EventsOptions,
	GetOptions,
	KillOptions,
	ListOptions,
	ProcessId,
	StartOptions,
	WaitOptions,
	WriteOptions,
} from '../lib/index.js';
import type {SupervisorView} from './supervisor-view.js';

/** Signs what it starts. */
export class NamedSupervisor implements SupervisorView {
	constructor(
		private readonly all: SupervisorView,
		private readonly owner: string,
	) {}

	start(command: CommandInput, options?: StartOptions) {
		return this.all.start(command, {...options, owner: this.owner});
	}

	startBody(body: unknown, options?: StartOptions) {
		return this.all.startBody(body, {...options, owner: this.owner});
	}

	get(processId: ProcessId, options?: GetOptions) {
		return this.all.get(processId, options);
	}

	list(options?: ListOptions) {
		return this.all.list(options);
	}

	kill(processId: ProcessId, options?: KillOptions) {
		return this.all.kill(processId, options);
	}

	signal(processId: ProcessId, signal: NodeJS.Signals) {
		return this.all.signal(processId, signal);
	}

	wait(processId: ProcessId, options?: WaitOptions) {
		return this.all.wait(processId, options);
	}

	output(processId: ProcessId) {
		return this.all.output(processId);
	}

	ready(processId: ProcessId, options?: WaitOptions) {
		return this.all.ready(processId, options);
	}

	write(processId: ProcessId, data: string | Uint8Array, options?: WriteOptions) {
		return this.all.write(processId, data, options);
	}

	closeInput(processId: ProcessId) {
		return this.all.closeInput(processId);
	}

	forget(processId: ProcessId) {
		return this.all.forget(processId);
	}

	events(options?: EventsOptions) {
		return this.all.events(options);
	}

	state() {
		return this.all.state();
	}
}
