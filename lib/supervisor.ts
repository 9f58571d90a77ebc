import {setMaxListeners} from 'node:events';
import {Admission} from './admission.js';
import type {
	EventsOptions,
	GetOptions,
	KillOptions,
	ListOptions,
	ProcessDetails,
	ProcessOutput,
	ProcessPage,
	StartOptions,
	Supervisor,
	SupervisorState,
	WaitOptions,
	WriteOptions,
} from './api.js';
import {type CommandInput, type ParsedCommand, parseCommand, parseCommandBody} from './command.js';
import {Deadlines} from './deadlines.js';
import {
	NotReadyError,
	ProcessEndedError,
	ProcessNotFoundError,
	ProcessRunningError,
	ShuttingDownError,
} from './errors.js';
import {EventBus} from './event-bus.js';
import {EventFeed} from './event-feed.js';
import type {EventFeedItem, EventListener, EventType} from './events.js';
import {InputQueue} from './input-queue.js';
import {fingerprint, Intake} from './intake.js';
import {Kills, whyNotRunning} from './kills.js';
import {Leftovers} from './leftovers.js';
import {OutputLimits} from './output-limits.js';
import {Outputs} from './outputs.js';
import type {Confinement, Launcher, OutputLog, OwnerLock, ProcessStore, Terminator} from './ports.js';
import {hasStarted, hasStatus, isLive, isReadinessSettled, type ProcessId, type ProcessRecord} from './process.js';
import {type Process, toProcess} from './process-view.js';
import {
	assertEventType,
	parseEventsOptions,
	parseInput,
	parseKillOptions,
	parseSignal,
	parseStartOptions,
	parseWaitOptions,
	parseWriteOptions,
	Queries,
} from './queries.js';
import {ReadinessWatch} from './readiness-watch.js';
import {Reaper} from './reaper.js';
import {RecordWatch} from './record-watch.js';
import {Recovery} from './recovery.js';
import {Retention} from './retention.js';
import {Termination} from './termination.js';
import {inject, injectable, Tokens} from './tokens.js';
import {Waits} from './waits.js';

/** The public face: checks who may ask, and leads each call to the part that answers it. */
@injectable()
export class ProcessSupervisor implements Supervisor {
	/** Ends every wait when the supervisor is closed. */
	readonly #closing = new AbortController();

	constructor(
		@inject(Tokens.stateDir) readonly stateDir: string,
		@inject(Tokens.store) private readonly store: ProcessStore,
		@inject(Tokens.launcher) private readonly launcher: Launcher,
		@inject(Tokens.terminator) private readonly terminator: Terminator,
		@inject(Tokens.confinement) private readonly confinement: Confinement,
		@inject(Tokens.output) private readonly outputLog: OutputLog,
		@inject(Tokens.ownerLock) private readonly ownerLock: OwnerLock,
		@inject(EventBus) private readonly bus: EventBus,
		@inject(EventFeed) private readonly feed: EventFeed,
		@inject(Admission) private readonly admission: Admission,
		@inject(Deadlines) private readonly deadlines: Deadlines,
		@inject(Intake) private readonly intake: Intake,
		@inject(Kills) private readonly kills: Kills,
		@inject(Leftovers) private readonly leftovers: Leftovers,
		@inject(OutputLimits) private readonly outputLimits: OutputLimits,
		@inject(Outputs) private readonly outputs: Outputs,
		@inject(Queries) private readonly queries: Queries,
		@inject(InputQueue) private readonly input: InputQueue,
		@inject(ReadinessWatch) private readonly readiness: ReadinessWatch,
		@inject(Reaper) private readonly reaper: Reaper,
		@inject(RecordWatch) private readonly recordWatch: RecordWatch,
		@inject(Recovery) private readonly recovery: Recovery,
		@inject(Retention) private readonly retention: Retention,
		@inject(Termination) private readonly termination: Termination,
		@inject(Waits) private readonly waits: Waits,
	) {
		// One for each start and wait under way; Node would warn its host of a leak from the eleventh on.
		setMaxListeners(0, this.#closing.signal);
	}

	/** Takes over what an earlier supervisor left; then commands may come. */
	open(): void {
		this.deadlines.open(processId => this.kills.endOverdue(processId));
		this.recordWatch.open();
		// Before recovery: what is open now may have ended long ago, with nobody there to hold it to its bounds.
		this.outputLimits.open();
		this.launcher.open();
		this.recovery.run();
		// In this order: what a forgotten process left is known by the event, which is not kept for ever.
		void this.recovery.collectOrphans().then(() => this.retention.open());
	}

	async start(command: CommandInput, options: StartOptions = {}): Promise<Process> {
		return this.#start(command, options, () => parseCommand(command, this.intake.defaults));
	}

	async startBody(body: unknown, options: StartOptions = {}): Promise<Process> {
		return this.#start(body, options, () => parseCommandBody(body, this.intake.defaults));
	}

	async get(processId: ProcessId, options: GetOptions = {}): Promise<ProcessDetails> {
		this.#assertOpen();
		return this.queries.get(processId, options);
	}

	async list(options: ListOptions = {}): Promise<ProcessPage> {
		this.#assertOpen();
		return this.queries.list(options);
	}

	async kill(processId: ProcessId, options: KillOptions = {}): Promise<Process> {
		this.#assertOpen();
		return this.kills.kill(processId, parseKillOptions(options), this.#closing.signal);
	}

	async signal(processId: ProcessId, signal: NodeJS.Signals): Promise<Process> {
		this.#assertOpen();
		const name = parseSignal(signal);
		const process = this.queries.find(processId);
		if (!isLive(process) || !this.terminator.target(process).signal(name)) {
			throw new ProcessEndedError(processId, whyNotRunning(toProcess(process)));
		}

		return toProcess(process);
	}

	async wait(processId: ProcessId, options: WaitOptions = {}): Promise<Process> {
		this.#assertOpen();
		const {signal} = parseWaitOptions(options);
		const process = this.queries.find(processId);
		const ended = await this.waits.until(process, hasEnded, this.#closing.signal, signal);
		return toProcess(ended);
	}

	output(processId: ProcessId): ProcessOutput {
		return this.outputs.of(processId, this.#closing.signal);
	}

	async ready(processId: ProcessId, options: WaitOptions = {}): Promise<Process> {
		this.#assertOpen();
		const {signal} = parseWaitOptions(options);
		const process = this.queries.find(processId);
		if (process.command.ready === null) {
			throw new NotReadyError(processId, 'undeclared');
		}

		const settled = toProcess(await this.waits.until(process, isReadinessSettled, this.#closing.signal, signal));
		if (settled.readyAt === null) {
			throw new NotReadyError(processId, settled.readyTimedOutAt === null ? 'ended' : 'timed_out');
		}

		return settled;
	}

	async write(processId: ProcessId, data: string | Uint8Array, options: WriteOptions = {}): Promise<void> {
		this.#assertOpen();
		const bytes = parseInput(data);
		const manner = parseWriteOptions(options);
		await this.input.write(this.queries.find(processId).processId, bytes, manner);
	}

	async closeInput(processId: ProcessId): Promise<void> {
		this.#assertOpen();
		await this.input.close(this.queries.find(processId).processId);
	}

	async forget(processId: ProcessId): Promise<Process> {
		this.#assertOpen();
		const found = this.queries.find(processId);
		// As in `kill`: the notice of its end may still wait for its turn.
		const process = this.reaper.look(processId) ?? found;
		if (!hasStatus(process, 'ended')) {
			throw new ProcessRunningError(processId, false);
		}

		if (hasStarted(process) && (await this.leftovers.isAny(process))) {
			throw new ProcessRunningError(processId, true);
		}

		// Closed while we looked.
		this.#assertOpen();
		this.retention.forget(process);
		return toProcess(process);
	}

	events(options: EventsOptions = {}): AsyncGenerator<EventFeedItem, undefined, undefined> {
		this.#assertOpen();
		const wish = parseEventsOptions(options);
		if (wish.processId !== undefined && !this.#isKnown(wish.processId, wish.owner)) {
			throw new ProcessNotFoundError(wish.processId);
		}

		return this.feed.subscribe(wish, this.#closing.signal);
	}

	on<Type extends EventType>(type: Type, listener: EventListener<Type>): this {
		assertEventType(type);
		this.bus.on(type, listener);
		return this;
	}

	off<Type extends EventType>(type: Type, listener: EventListener<Type>): this {
		this.bus.off(type, listener);
		return this;
	}

	state(): SupervisorState {
		return {
			running: this.admission.running,
			queued: this.admission.queued,
			isClosing: this.#closing.signal.aborted,
			hasRoom: this.intake.hasRoom(),
			containment: this.confinement.kind,
		};
	}

	/** In this order: no new commands, let go of the keeper, no more looks, then the database. */
	async close(): Promise<void> {
		if (this.#closing.signal.aborted) {
			return;
		}

		this.#closing.abort(new ShuttingDownError());
		this.admission.close();
		this.deadlines.close();
		const launcherClosed = this.launcher.close();
		this.recordWatch.close();
		this.recovery.close();
		this.leftovers.close();
		this.outputLog.close();
		await this.outputLimits.close();
		this.readiness.close();
		this.input.shut();
		this.retention.close();
		await this.termination.close();
		await launcherClosed;
		this.confinement.close();
		this.bus.clear();
		this.store.close();
		this.ownerLock.release();
	}

	async #start(request: unknown, options: StartOptions, parse: () => ParsedCommand): Promise<Process> {
		this.#assertOpen();
		const {idempotencyKey, owner = null} = parseStartOptions(options);
		const key =
			idempotencyKey === undefined ? undefined : {key: idempotencyKey, owner, fingerprint: fingerprint(request)};
		// Before the command is checked again: its directory may be gone by now.
		const earlier = key === undefined ? null : this.intake.findRepeated(key);
		return this.intake.firstAnswer(earlier ?? this.intake.accept(parse(), owner, key), this.#closing.signal);
	}

	/** Or was forgotten, and there is still word of that. To another owner it is not known. */
	#isKnown(processId: ProcessId, owner: string | undefined): boolean {
		const found = this.store.find(processId);
		return found === null ? this.feed.hasTold(processId, owner) : owner === undefined || found.owner === owner;
	}

	#assertOpen(): void {
		if (this.#closing.signal.aborted) {
			throw new ShuttingDownError();
		}
	}
}

function hasEnded(process: ProcessRecord): boolean {
	return hasStatus(process, 'ended');
}
