import {type FSWatcher, lstatSync, rmSync, watch} from 'node:fs';
import {join} from 'node:path';
import type {Claim, Host, Launcher, LauncherPlace, Logger, ProcessTable, Report} from '../ports.js';
import type {ProcessId, Stop} from '../process.js';
import {inject, injectable, Tokens} from '../tokens.js';
import {Keeper, readKeeperIdentity} from './keeper.js';
import {RunDirectories} from './run-directory.js';
import {type SpecifiedProcess, specify} from './specification.js';

/** Runs commands by the bash program keeper.sh. */
@injectable()
export class KeeperLauncher implements Launcher {
	readonly #directories: RunDirectories;
	readonly #keeper: Keeper;
	#watcher: FSWatcher | null = null;

	constructor(
		@inject(Tokens.launcherPlace) private readonly place: LauncherPlace,
		@inject(Tokens.host) private readonly host: Host,
		@inject(Tokens.processTable) private readonly processTable: ProcessTable,
		@inject(Tokens.logger) private readonly logger: Logger,
	) {
		this.#directories = new RunDirectories(place.stateDir);
		this.#keeper = new Keeper({
			stateDir: place.stateDir,
			bash: place.programs.bash,
			script: place.keeperScript,
			logger,
			isUnclaimed: processId => this.claim(processId).by === 'nobody',
		});
	}

	open(): void {
		const earlier = readKeeperIdentity(this.place.stateDir);
		// It may be holding deadlines by now, and from here on that is ours to do.
		if (earlier !== null && this.processTable.isKeeper(earlier, this.place.stateDir)) {
			this.processTable.signal(earlier, 'SIGKILL');
		}

		clearWay(join(this.place.stateDir, 'keeper'));
		this.#keeper.open();
	}

	prepare(process: SpecifiedProcess, env: ReadonlyMap<string, string>): void {
		const specification = specify(process, new Map([...this.host.environment(), ...env]), {
			linePath: this.#directories.linePath(process.processId),
			gracePeriodMs: this.place.gracePeriodMs,
			programs: this.place.programs,
		});
		this.#directories.create(process.processId, specification);
	}

	launch(processId: ProcessId): void {
		this.#keeper.launch(processId);
	}

	withdraw(processId: ProcessId): boolean {
		// Ours from an earlier try, whose end could not be committed, is as good.
		return this.#directories.takeClaim(processId) || this.claim(processId).by === 'supervisor';
	}

	claim(processId: ProcessId): Claim {
		return this.#directories.readClaim(processId);
	}

	read(processId: ProcessId): Report {
		const report = this.#directories.readRecord(processId);
		if (report.start !== null || report.end !== null) {
			this.#keeper.forget(processId);
		}

		return report;
	}

	closeRecord(processId: ProcessId, endedAt: number): void {
		this.#keeper.forget(processId);
		this.#directories.closeRecord(processId, endedAt);
	}

	orderStop(processId: ProcessId, stop: Stop): void {
		this.#directories.orderStop(processId, stop);
	}

	outputBytes(processId: ProcessId): number {
		return this.#directories.outputBytes(processId);
	}

	discard(processId: ProcessId): void {
		this.#keeper.forget(processId);
		this.#directories.remove(processId);
	}

	listPrepared(): ProcessId[] {
		return this.#directories.list();
	}

	recall(processId: ProcessId): SpecifiedProcess | null {
		return this.#directories.readSpecification(processId);
	}

	watch(onChange: (processId: ProcessId) => void): boolean {
		try {
			this.#watcher = watch(this.#directories.records, (_, processId) => {
				if (processId !== null) {
					onChange(processId);
				}
			});
			this.#watcher.on('error', error => this.logger.error({error}, 'Records are no longer watched'));
			return true;
		} catch (error) {
			// ENOSPC, EMFILE: the user's inotify limits are used up (inotify(7)).
			this.logger.warn({error}, 'Records cannot be watched; they will be looked at instead');
			return false;
		}
	}

	async close(): Promise<void> {
		this.#watcher?.close();
		this.#keeper.close();
		await this.#directories.close();
	}
}

/** A command may have put something there that holds up the keeper when it writes its name. */
function clearWay(path: string): void {
	if (lstatSync(path, {throwIfNoEntry: false})?.isFile() === false) {
		rmSync(path, {recursive: true, force: true});
	}
}
