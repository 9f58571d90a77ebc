import {createHash, randomUUID} from 'node:crypto';
import {Admission} from './admission.js';
import type {CommandDefaults, ParsedCommand} from './command.js';
import {CommandInvalidError, IdempotencyConflictError, StorageFullError} from './errors.js';
import {EventBus} from './event-bus.js';
import {Ledger} from './ledger.js';
import type {Clock, Confinement, Disk, Host, IdempotencyKey, Launcher, ProcessStore} from './ports.js';
import type {Command, ProcessId} from './process.js';
import type {Process} from './process-view.js';
import {toProcess} from './process-view.js';
import type {Settings} from './settings.js';
import {inject, injectable, Tokens} from './tokens.js';

/** A start is answered with what is known by then: a keeper that is frozen holds nobody up. */
const startPatienceMs = 2000;

/** Accepts commands: what is accepted runs exactly once, whatever crashes. */
@injectable()
export class Intake {
	constructor(
		@inject(Tokens.store) private readonly store: ProcessStore,
		@inject(Tokens.launcher) private readonly launcher: Launcher,
		@inject(Tokens.confinement) private readonly confinement: Confinement,
		@inject(Tokens.disk) private readonly disk: Disk,
		@inject(Tokens.host) private readonly host: Host,
		@inject(Tokens.clock) private readonly clock: Clock,
		@inject(Tokens.settings) private readonly settings: Settings,
		@inject(Tokens.stateDir) private readonly stateDir: string,
		@inject(Tokens.workingDir) private readonly workingDir: string,
		@inject(Admission) private readonly admission: Admission,
		@inject(Ledger) private readonly ledger: Ledger,
		@inject(EventBus) private readonly bus: EventBus,
	) {}

	get defaults(): CommandDefaults {
		return {
			timeoutMs: this.settings.defaultTimeoutMs,
			maxTimeoutMs: this.settings.maxTimeoutMs,
			limits: this.confinement.limits,
			workingDir: this.workingDir,
			problemWithDirectory: path => this.host.problemWithDirectory(path),
		};
	}

	/** The process that an earlier start with this key made. @throws {IdempotencyConflictError} */
	findRepeated({key, owner, fingerprint}: IdempotencyKey): ProcessId | null {
		const earlier = this.store.findByIdempotencyKey(key, owner);
		if (earlier !== null && earlier.fingerprint !== fingerprint) {
			throw new IdempotencyConflictError(key, earlier.processId);
		}

		return earlier?.processId ?? null;
	}

	/**
	 * Nothing is awaited between the look for the key and the commit, so of ten starts with one key one begins.
	 * @throws {QueueFullError}
	 * @throws {StorageFullError}
	 */
	accept({command, env}: ParsedCommand, owner: string | null, key?: IdempotencyKey): ProcessId {
		this.admission.assertRoom();
		this.#assertReserve();
		const processId = newId('proc');
		const process = {
			processId,
			executionId: newId('exec'),
			command,
			owner,
			createdAt: this.clock.now(),
			cgroup: this.#confine(processId, command),
			state: {status: 'queued'},
		} as const;
		// Files first: a row never lacks what its command needs to run. A crash in between
		// leaves files that nobody was told of; recovery removes them.
		try {
			this.launcher.prepare(process, env);
			this.ledger.accept(process, key);
		} catch (error) {
			this.launcher.discard(processId);
			this.confinement.release(process.cgroup ?? '');
			throw error;
		}

		this.admission.enter(processId);
		return processId;
	}

	/** Whether more can be accepted, as far as the disk goes. */
	hasRoom(): boolean {
		try {
			return this.#hasReserve();
		} catch {
			// The directory was removed under us.
			return false;
		}
	}

	#assertReserve(): void {
		if (!this.#hasReserve()) {
			throw new StorageFullError(this.stateDir);
		}
	}

	/** What runs already needs the rest. */
	#hasReserve(): boolean {
		return this.disk.freeBytes() >= this.settings.output.reserveBytes;
	}

	#confine(processId: ProcessId, {limits}: Command): string | null {
		const cgroup = this.confinement.prepare(processId, limits);
		if (cgroup === null && limits !== null && limits.bestEffort !== true) {
			throw new CommandInvalidError('limits', 'cannot be held now: no cgroup could be made');
		}

		return cgroup;
	}

	/**
	 * Settles when the process is no longer on its way: it runs, has ended, or must wait for its turn.
	 * @param closing - Aborted while the store is still open: nobody will tell any more how it goes on.
	 */
	async firstAnswer(processId: ProcessId, closing: AbortSignal): Promise<Process> {
		const current = () => {
			const record = this.store.find(processId);
			if (record === null) {
				throw new Error(`${processId} was accepted and has vanished`);
			}

			return toProcess(record);
		};
		if (!this.admission.isAdmitted(processId) || current().status !== 'queued') {
			return current();
		}

		return new Promise(resolve => {
			const answer = (process: Process) => {
				timer.cancel();
				unfollow();
				closing.removeEventListener('abort', answerNow);
				resolve(process);
			};
			const answerNow = () => answer(current());
			const timer = this.clock.setTimer(startPatienceMs, answerNow);
			const unfollow = this.bus.follow(processId, answer);
			closing.addEventListener('abort', answerNow);
		});
	}
}

/** Tells one request from another, whatever the order of its fields. */
export function fingerprint(request: unknown): string {
	const sorted = JSON.stringify(request, (_, value: unknown) =>
		typeof value === 'object' && value !== null && !Array.isArray(value)
			? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
			: value,
	);
	return createHash('sha256')
		.update(sorted ?? '')
		.digest('base64url');
}

function newId(prefix: string): string {
	return `${prefix}_${randomUUID().replaceAll('-', '')}`;
}
