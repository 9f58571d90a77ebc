import {Admission} from './admission.js';
import {Deadlines} from './deadlines.js';
import {Ledger} from './ledger.js';
import {Leftovers} from './leftovers.js';
import type {Clock, Confinement, EventStore, Launcher, Logger, ProcessStore, ProcessTable, StopOrder} from './ports.js';
import {
	type EndedProcess,
	hasStarted,
	hasStatus,
	isLive,
	type LiveProcess,
	type ProcessRecord,
	type QueuedProcess,
	type Stop,
} from './process.js';
import {ReadinessWatch} from './readiness-watch.js';
import {Reaper} from './reaper.js';
import type {Settings} from './settings.js';
import {Termination} from './termination.js';
import {inject, injectable, Tokens} from './tokens.js';
import {recordEnd, recordStop, recordStopBeforeStart} from './transitions.js';

const orphansAtOnce = 200;

/** Settles the processes found open at boot, and those whose shim has died since. */
@injectable()
export class Recovery {
	/** Claimed, not started, and the shim gone: seen once. The command's own process may be on its way yet. */
	readonly #suspects = new Set<string>();

	readonly #lost = new Set<string>();
	#isClosed = false;

	constructor(
		@inject(Tokens.store) private readonly store: ProcessStore,
		@inject(Tokens.events) private readonly events: EventStore,
		@inject(Tokens.launcher) private readonly launcher: Launcher,
		@inject(Tokens.confinement) private readonly confinement: Confinement,
		@inject(Tokens.processTable) private readonly processTable: ProcessTable,
		@inject(Tokens.clock) private readonly clock: Clock,
		@inject(Tokens.settings) private readonly settings: Settings,
		@inject(Tokens.logger) private readonly logger: Logger,
		@inject(Ledger) private readonly ledger: Ledger,
		@inject(Reaper) private readonly reaper: Reaper,
		@inject(Admission) private readonly admission: Admission,
		@inject(Deadlines) private readonly deadlines: Deadlines,
		@inject(Leftovers) private readonly leftovers: Leftovers,
		@inject(Termination) private readonly termination: Termination,
		@inject(ReadinessWatch) private readonly readiness: ReadinessWatch,
	) {}

	/** Once, before the keeper is there: so nothing that was queued can begin meanwhile. */
	run(): void {
		if (this.store.isRebuilding) {
			this.#adoptAll();
		}

		const open = this.store.listOpen();
		// Those that run take their places before any that waits may have one.
		for (const {processId, state} of open) {
			if (state.status !== 'queued' || this.launcher.claim(processId).by !== 'nobody') {
				this.admission.occupy(processId);
			}
		}

		for (const {processId} of open) {
			this.#settle(processId);
		}

		this.leftovers.recover();
		this.#resumeLeftovers();
	}

	/**
	 * Removes what was prepared for a process that was never accepted, and what a forgotten one left; adopts what
	 * was accepted and ran, but whose row a power failure took. In small steps: there may be many.
	 */
	async collectOrphans(): Promise<void> {
		try {
			await this.#collectOrphans();
		} catch (error) {
			this.logger.error(
				{error},
				'What was prepared and never accepted could not be collected; the next start tries again',
			);
		}
	}

	close(): void {
		this.#isClosed = true;
	}

	/**
	 * Now and then: what no record tells, because the one who writes it is dead.
	 * @param looksAtAll - Also at records that would tell, where nobody says that they have changed.
	 */
	sweep(looksAtAll: boolean): void {
		for (const process of this.store.listOpen()) {
			if (looksAtAll) {
				this.reaper.look(process.processId);
			}

			if (this.termination.isEnding(process.processId)) {
				continue;
			}

			if (hasStatus(process, 'queued')) {
				this.#sweepQueued(process);
			} else if (hasStatus(process, 'running') && !this.processTable.isShimAlive(process.state.start)) {
				this.#sweepShimless(process);
			} else if (hasStatus(process, 'stopping')) {
				// Nothing new while it is under way. A disk that was full in between must not leave it half ended.
				void this.termination.resume(process, process.state.stop);
			}
		}
	}

	/** The database was lost: everything on disk may have been accepted. */
	#adoptAll(): void {
		const found = this.launcher.listPrepared().map(processId => this.launcher.recall(processId));
		const processes = found.filter(process => process !== null).sort((a, b) => a.createdAt - b.createdAt);
		if (found.length > 0) {
			this.logger.warn({found: processes.length, unreadable: found.length - processes.length}, 'The list is rebuilt');
		}

		this.store.rebuild(processes, this.clock.now());
	}

	async #collectOrphans(): Promise<void> {
		for (const [index, processId] of this.launcher.listPrepared().entries()) {
			if (index % orphansAtOnce === 0) {
				await new Promise(resolve => setImmediate(resolve));
			}

			if (this.#isClosed) {
				return;
			}

			if (this.store.find(processId) === null) {
				this.#settleOrphan(processId);
			}
		}
	}

	#settleOrphan(processId: string): void {
		const isOver = this.launcher.claim(processId).by === 'nobody' || this.events.wasForgotten(processId);
		const process = isOver ? null : this.launcher.recall(processId);
		if (process === null) {
			this.launcher.discard(processId);
			return;
		}

		this.logger.warn({processId}, 'A process that ran had no row; it is taken over');
		this.store.adopt(process);
		this.admission.occupy(processId);
		this.#settle(processId);
	}

	#settle(processId: string): void {
		const process = this.reaper.look(processId);
		if (process === null) {
			return;
		}

		if (hasStatus(process, 'queued')) {
			this.#settleQueued(process);
		} else if (isLive(process)) {
			this.#settleLive(process);
		}
	}

	#settleQueued(process: QueuedProcess): void {
		const claim = this.launcher.claim(process.processId);
		if (claim.by === 'nobody') {
			this.#confineAgain(process);
			this.admission.enter(process.processId);
		} else if (claim.by === 'supervisor') {
			this.#endWithdrawn(process);
		} else if (claim.by === 'shim' && claim.identity.bootId !== this.processTable.bootId) {
			this.#giveUpAfterReboot(process);
		}
	}

	/** Only a kill takes the claim from a shim; its end could not be committed then: the disk was full, or we were killed. */
	#endWithdrawn(process: QueuedProcess): EndedProcess {
		const ended = recordStopBeforeStart(process, 'request', this.clock.now());
		this.ledger.record(ended);
		return ended;
	}

	/** A reboot, or the end of the service, may have taken the cgroup that it is to join. */
	#confineAgain({processId, command, cgroup}: QueuedProcess): void {
		const made = cgroup === null ? null : this.confinement.prepare(processId, command.limits);
		if (made !== null && made !== cgroup) {
			this.confinement.release(made);
		}
	}

	#settleLive(process: LiveProcess): void {
		const {end, stop} = this.launcher.read(process.processId);
		const current = stop === null ? process : recordStop(process, this.#toStop(stop));
		if (current.state.start.identity.bootId !== this.processTable.bootId) {
			if (end === null) {
				this.#giveUpAfterReboot(current);
			} else {
				this.ledger.record(recordEnd(current, end));
			}
		} else if (hasStatus(current, 'stopping')) {
			// Its record may know of a SIGTERM that the store does not.
			const isSignaled = current.state.stop.isSignaled || stop?.isSignaled === true;
			void this.termination.resume(process, {...current.state.stop, isSignaled});
		} else {
			this.deadlines.hold(current);
			this.readiness.begin(current);
		}
	}

	/** Kills of what ended processes left behind stand in their records alone. */
	#resumeLeftovers(): void {
		for (const processId of this.leftovers.watched) {
			const process = this.store.find(processId);
			const {leftoverStop} = this.launcher.read(processId);
			if (leftoverStop !== null && process !== null && hasStatus(process, 'ended') && hasStarted(process)) {
				void this.termination.resumeLeftover(process, this.#toStop(leftoverStop));
			}
		}
	}

	#toStop(order: StopOrder): Stop {
		return {...order, gracePeriodMs: order.gracePeriodMs ?? this.settings.gracePeriodMs, isBlocked: false};
	}

	#giveUpAfterReboot(process: ProcessRecord): void {
		this.reaper.giveUp(process, 'reboot', 'The machine was restarted while it ran', this.clock.now());
	}

	#sweepQueued({processId}: QueuedProcess): void {
		const process = this.admission.isAdmitted(processId) ? this.reaper.look(processId) : null;
		if (process !== null && hasStatus(process, 'queued') && this.launcher.claim(processId).by === 'supervisor') {
			this.leftovers.watch(this.#endWithdrawn(process));
			return;
		}

		const problem = process !== null && hasStatus(process, 'queued') ? this.#problemWithStart(process) : null;
		if (process === null || problem === null) {
			this.#suspects.delete(processId);
		} else if (this.#suspects.has(processId)) {
			this.#suspects.delete(processId);
			this.reaper.giveUp(process, 'start_failed', problem, this.clock.now());
		} else {
			this.#suspects.add(processId);
		}
	}

	/** Why one that was handed to the keeper will never begin, as far as one look can tell. */
	#problemWithStart({processId}: QueuedProcess): string | null {
		const claim = this.launcher.claim(processId);
		if (claim.by === 'nobody') {
			return this.launcher.recall(processId) === null ? 'Its files vanished before the command began' : null;
		}

		const isHeld = claim.by === 'shim' && this.processTable.isAlive(claim.identity);
		return isHeld ? null : 'Its shim died before the command began';
	}

	#sweepShimless({processId}: ProcessRecord): void {
		// Once more: a shim writes its record and then leaves.
		const process = this.reaper.look(processId);
		if (process === null || !hasStatus(process, 'running')) {
			return;
		}

		if (this.launcher.read(processId).stop !== null) {
			this.#settleLive(process);
		} else if (!this.#lost.has(processId)) {
			this.#lost.add(processId);
			void this.#endLost(process);
		}
	}

	async #endLost(process: LiveProcess): Promise<void> {
		const {processId} = process;
		this.logger.warn({processId}, 'The shim of a process is gone; what is left of it is ended');
		try {
			await this.termination.endLeftover(process, {signal: 'SIGKILL', gracePeriodMs: 0});
			this.#giveUpLost(processId);
		} catch (error) {
			this.logger.error({error, processId}, 'What is left of a process could not be ended');
		} finally {
			this.#lost.delete(processId);
		}
	}

	#giveUpLost(processId: string): void {
		const process = this.store.find(processId);
		if (process !== null && hasStatus(process, 'running')) {
			this.reaper.giveUp(
				process,
				'lost',
				'Nobody could see how and when it ended: its shim was killed. What was left of it was ended at the time told here',
				this.clock.now(),
			);
		}
	}
}
