import {
	type CommandInput,
	type EventsOptions,
	type GetOptions,
	type KillOptions,
	type ListOptions,
	type ProcessId,
	ProcessNotFoundError,
	type ProcessOutput,
	type StartOptions,
	type Supervisor,
	type WaitOptions,
	type WriteOptions,
} from '../lib/index.js';
import {NamedSupervisor} from './named-supervisor.js';
import type {SupervisorView} from './supervisor-view.js';

/**
 * Signs what it starts, and others' processes do not exist for it. It inherits nothing: a method that nobody has thought
 * about here would open everybody's processes, and so does not compile.
 */
export class OwnSupervisor implements SupervisorView {
	readonly #all: SupervisorView;

	constructor(
		supervisor: Supervisor,
		private readonly owner: string,
	) {
		this.#all = new NamedSupervisor(supervisor, owner);
	}

	start(command: CommandInput, options?: StartOptions) {
		return this.#all.start(command, options);
	}

	startBody(body: unknown, options?: StartOptions) {
		return this.#all.startBody(body, options);
	}

	async get(processId: ProcessId, options?: GetOptions) {
		await this.#assertOwn(processId);
		return this.#all.get(processId, options);
	}

	list(options?: ListOptions) {
		return this.#all.list({...options, owner: this.owner});
	}

	async kill(processId: ProcessId, options?: KillOptions) {
		await this.#assertOwn(processId);
		return this.#all.kill(processId, options);
	}

	async signal(processId: ProcessId, signal: NodeJS.Signals) {
		await this.#assertOwn(processId);
		return this.#all.signal(processId, signal);
	}

	async wait(processId: ProcessId, options?: WaitOptions) {
		await this.#assertOwn(processId);
		return this.#all.wait(processId, options);
	}

	output(processId: ProcessId): ProcessOutput {
		const output = this.#all.output(processId);
		const assertOwn = () => this.#assertOwn(processId);
		return {
			read: async options => {
				await assertOwn();
				return output.read(options);
			},
			async *follow(options) {
				await assertOwn();
				yield* output.follow(options);
			},
		};
	}

	async ready(processId: ProcessId, options?: WaitOptions) {
		await this.#assertOwn(processId);
		return this.#all.ready(processId, options);
	}

	async write(processId: ProcessId, data: string | Uint8Array, options?: WriteOptions) {
		await this.#assertOwn(processId);
		return this.#all.write(processId, data, options);
	}

	async closeInput(processId: ProcessId) {
		await this.#assertOwn(processId);
		return this.#all.closeInput(processId);
	}

	async forget(processId: ProcessId) {
		await this.#assertOwn(processId);
		return this.#all.forget(processId);
	}

	events(options?: EventsOptions) {
		return this.#all.events({...options, owner: this.owner});
	}

	state() {
		return this.#all.state();
	}

	/** In the words of the library: whose it is must not show. */
	async #assertOwn(processId: ProcessId): Promise<void> {
		const {owner} = await this.#all.get(processId, {tailBytes: 0});
		if (owner !== this.owner) {
			throw new ProcessNotFoundError(processId);
		}
	}
}
