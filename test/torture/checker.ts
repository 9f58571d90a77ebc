import {existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {cgroupOf} from '../helpers/state-dir.js';
import {findCarriers} from './carriers.js';
import type {Chaos} from './chaos.js';
import type {Follower} from './follower.js';
import type {OutputReader} from './output-reader.js';
import type {Scene} from './scene.js';
import type {Plan} from './shapes.js';
import {readTruth} from './truth.js';
import {findLies, type Output, type Shown} from './verdict.js';

/** Compares what the API says with what the commands themselves wrote down. */
export class Checker {
	constructor(
		private readonly scene: Scene,
		private readonly chaos: Chaos,
		private readonly follower: Follower,
		private readonly reader: OutputReader,
	) {}

	/** Everything has ended by then. */
	async check(): Promise<void> {
		const listed = await this.listAll();
		this.#checkNames(listed);
		const processIds = new Set(listed.map(({process_id}) => process_id));
		for (const {processId} of this.scene.ledger.started.values()) {
			if (!processIds.has(processId)) {
				this.scene.ledger.find(processId, 'was acknowledged and is not listed');
			}
		}

		for (const process of listed) {
			const plan = this.scene.ledger.asked.get(process.name);
			await (plan === undefined ? null : this.#checkOne(plan, process));
			this.follower.check(process);
		}

		this.#checkFiles(processIds);
		this.#checkNobodyLives();
	}

	/** When the daemon has left for good. */
	checkCgroups(): void {
		const cgroup = cgroupOf(this.scene.stateDir);
		if (existsSync(cgroup)) {
			this.scene.ledger.find(cgroup, `is left, with ${readdirSync(cgroup).join(', ')}`);
		}
	}

	/** All processes, newest first. */
	async listAll(query = ''): Promise<Shown[]> {
		const all: Shown[] = [];
		for (let cursor = ''; ; ) {
			const {json} = await this.scene.daemon.ask('GET', `/execute/processes?tail_bytes=0${query}${cursor}`);
			all.push(...(json['processes'] as Shown[]));
			if (typeof json['next_cursor'] !== 'string') {
				return all;
			}

			cursor = `&cursor=${json['next_cursor']}`;
		}
	}

	/** Also of starts that nobody acknowledged: each was asked for with one key, again and again. */
	#checkNames(listed: readonly Shown[]): void {
		const names = new Set<string>();
		for (const {process_id, name} of listed) {
			if (names.has(name)) {
				this.scene.ledger.find(process_id, `${name} is listed twice`);
			}

			if (!this.scene.ledger.asked.has(name)) {
				this.scene.ledger.find(process_id, `${name} was never asked for`);
			}

			names.add(name);
		}

		for (const name of readdirSync(this.scene.marks)) {
			if (!names.has(name)) {
				this.scene.ledger.find(name, 'ran and is not listed');
			}
		}
	}

	async #checkOne(plan: Plan, process: Shown): Promise<void> {
		const {process_id: processId, name} = process;
		const truth = readTruth(this.scene.marks, name);
		const circumstances = {
			wasKilled: this.scene.ledger.killed.has(name),
			wasShimKilled: this.chaos.shimless.has(processId),
			wasDiskFull: this.#metFullDisk(process),
		};
		const output = plan.lines === 0 ? null : await this.#readOutput(processId);
		const shown = this.reader.shown.get(processId);
		const lies = [
			...findLies(plan, process, truth, circumstances, output),
			...(shown === undefined || JSON.stringify(shown) === JSON.stringify(output)
				? []
				: ['was followed, and shown wrong']),
		];
		for (const lie of lies) {
			// Its command would say where our directory was, at great length.
			const facts = {...process, command: undefined, ...circumstances, truth, meanwhile: this.#meanwhile(process)};
			this.scene.ledger.find(processId, `${lie}: ${JSON.stringify(facts)}`);
		}
	}

	async #readOutput(processId: string): Promise<Output> {
		this.scene.ledger.count('outputs compared');
		const stdout = await this.scene.daemon.output(processId, 'stdout');
		return {stdout, stderr: await this.scene.daemon.output(processId, 'stderr')};
	}

	/** What was done to others, too, while it was there. */
	#meanwhile({created_at, completed_at}: Shown): string[] {
		return this.chaos.deeds
			.filter(({at}) => at >= created_at && at <= (completed_at ?? at))
			.map(({at, what}) => `${at.slice(11, 22)} ${what}`);
	}

	#metFullDisk({created_at, completed_at}: Shown): boolean {
		return this.chaos.fullTimes.some(
			([from, until]) => Date.parse(created_at) <= until && from <= Date.parse(completed_at ?? ''),
		);
	}

	#checkFiles(processIds: ReadonlySet<string>): void {
		for (const directory of ['runs', 'records']) {
			const names = readdirSync(join(this.scene.stateDir, directory));
			const strangers = names.filter(name => !processIds.has(name));
			if (strangers.length > 0) {
				this.scene.ledger.find(directory, `has files of nobody: ${strangers.join(', ')}`);
			}
		}
	}

	#checkNobodyLives(): void {
		for (const [processId, pids] of findCarriers(this.scene.mark, this.scene.daemon.pid)) {
			this.scene.ledger.find(processId, `is still alive: ${pids.join(', ')}`);
		}
	}
}
