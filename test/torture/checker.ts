import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {findProcesses} from '../helpers/processes.js';
import {readLines} from '../helpers/state-files.js';
import type {Chaos} from './chaos.js';
import type {Ledger, Started} from './client.js';
import type {TorturedDaemon} from './daemon.js';
import type {Follower} from './follower.js';
import {gracePeriodSeconds, type Plan} from './shapes.js';

interface Shown {
	readonly process_id: string;
	readonly name: string;
	readonly status: string;
	readonly reason: string | null;
	readonly exit_code: number | null;
	readonly started_at: string | null;
	readonly created_at: string;
	readonly completed_at: string | null;
	readonly execution_time: number | null;
	readonly stdout_bytes: number;
}

/** With the agent dead a deadline may be kept this much later (FAULTS.md, 25). */
const deadlineSlackSeconds = 12;

/** Compares what the API says with what the commands themselves wrote down. */
export class Checker {
	constructor(
		private readonly daemon: TorturedDaemon,
		private readonly stateDir: string,
		private readonly marks: string,
		private readonly ledger: Ledger,
		private readonly chaos: Chaos,
		private readonly follower: Follower,
	) {}

	/** Everything has ended by then. */
	async check(): Promise<void> {
		const listed = await this.listAll();
		this.#checkNames(listed);
		const byId = new Map(listed.map(process => [process.process_id, process]));
		for (const started of this.ledger.started.values()) {
			const process = byId.get(started.processId);
			if (process === undefined) {
				this.#find(started.processId, 'was acknowledged and is not listed');
			} else {
				this.#checkOne(started, process);
			}
		}

		for (const {process_id} of listed) {
			this.#checkEvents(process_id);
		}

		this.#checkFiles(new Set(byId.keys()));
		this.#checkNobodyLives(byId);
	}

	/** All processes, newest first. */
	async listAll(query = ''): Promise<Shown[]> {
		const all: Shown[] = [];
		for (let cursor = ''; ; ) {
			const {json} = await this.daemon.ask('GET', `/execute/processes?tail_bytes=0${query}${cursor}`);
			all.push(...(json['processes'] as Shown[]));
			if (typeof json['next_cursor'] !== 'string') {
				return all;
			}

			cursor = `&cursor=${json['next_cursor']}`;
		}
	}

	#find(processId: string, what: string): void {
		this.ledger.findings.push(`${processId}: ${what}`);
	}

	/** Also of starts that nobody acknowledged: each was asked for with one key, again and again. */
	#checkNames(listed: readonly Shown[]): void {
		const names = new Set<string>();
		for (const {process_id, name} of listed) {
			if (names.has(name)) {
				this.#find(process_id, `${name} is listed twice`);
			}

			if (!this.ledger.asked.has(name)) {
				this.#find(process_id, `${name} was never asked for`);
			}

			names.add(name);
		}

		for (const name of readdirSync(this.marks)) {
			if (!names.has(name)) {
				this.ledger.findings.push(`${name} ran and is not listed`);
			}
		}
	}

	#checkOne(started: Started, process: Shown): void {
		const {processId, plan} = started;
		const marks = readLines(join(this.marks, plan.body.name));
		const beginnings = marks.filter(mark => mark.startsWith('began'));
		if (beginnings.length > 1) {
			this.#find(processId, `ran ${beginnings.length} times`);
		}

		if (beginnings.some(mark => mark !== `began ${processId}`)) {
			this.#find(processId, `ran as ${beginnings.join()}`);
		}

		const problem = this.#problemWithEnd(started, process, beginnings.length);
		if (problem !== null) {
			this.#find(processId, `${problem}: ${JSON.stringify(process)}; its marks: ${marks.join(', ')}`);
		}
	}

	#problemWithEnd({plan, wasKilled}: Started, process: Shown, runs: number): string | null {
		const hadShim = !this.chaos.shimless.has(process.process_id);
		switch (process.reason) {
			case 'exited':
				return this.#problemWithExit(plan, process, runs);
			case 'request':
				return wasKilled ? null : 'was killed, and nobody asked';
			case 'timeout':
				return problemWithTimeout(plan.body.timeout, process, hadShim);
			case 'lost':
				return hadShim || process.exit_code !== null ? 'is lost, and its shim was not killed' : null;
			case 'start_failed':
				return this.#problemWithFailedStart(process, runs, hadShim);
			default:
				return `has a reason that cannot be: ${process.reason}`;
		}
	}

	#problemWithFailedStart(process: Shown, runs: number, hadShim: boolean): string | null {
		const isExplained = !hadShim || this.#metFullDisk(process);
		return runs === 0 && isExplained ? null : 'could not start, and nothing was in its way';
	}

	#problemWithExit({exitCode, stdoutBytes}: Plan, process: Shown, runs: number): string | null {
		if (runs !== 1) {
			return `exited and ran ${runs} times`;
		}

		if (process.exit_code !== exitCode) {
			return `should have exited with ${exitCode}`;
		}

		return process.stdout_bytes === stdoutBytes || this.#metFullDisk(process)
			? null
			: `should have written ${stdoutBytes} bytes`;
	}

	#metFullDisk({created_at, completed_at}: Shown): boolean {
		return this.chaos.fullTimes.some(
			([from, until]) => Date.parse(created_at) <= until && from <= Date.parse(completed_at ?? ''),
		);
	}

	#checkEvents(processId: string): void {
		const told = this.follower.seen.get(processId)?.join(' ') ?? '';
		// What was given up before it began never started; one that ended by itself was never stopping.
		if (!/^queued( started)?( stopping)? ended$/.test(told)) {
			this.#find(processId, `the events of it were: ${told}`);
		}
	}

	#checkFiles(processIds: ReadonlySet<string>): void {
		for (const directory of ['runs', 'records']) {
			const names = readdirSync(join(this.stateDir, directory));
			const strangers = names.filter(name => !processIds.has(name));
			if (strangers.length > 0) {
				this.ledger.findings.push(`${directory}/ has files of nobody: ${strangers.join(', ')}`);
			}
		}
	}

	#checkNobodyLives(processes: ReadonlyMap<string, Shown>): void {
		for (const [processId, {status}] of processes) {
			if (status === 'running' || status === 'queued') {
				this.#find(processId, `is ${status} for ever`);
			}
		}

		const alive = findProcesses('NOHUPD_PROCESS_ID=proc_', 'environ', text =>
			[...text.matchAll(/NOHUPD_PROCESS_ID=(proc_\w+)/g)].some(([, processId]) => processes.has(processId ?? '')),
		);
		if (alive.length > 0) {
			this.ledger.findings.push(`Still alive: ${alive.join(', ')}`);
		}
	}
}

function problemWithTimeout(timeout: number, {execution_time: seconds}: Shown, hadShim: boolean): string | null {
	const latest = timeout + gracePeriodSeconds + deadlineSlackSeconds;
	if (seconds === null && !hadShim) {
		// It ended at a time that nobody wrote down.
		return null;
	}

	return seconds !== null && seconds >= timeout - 0.05 && seconds <= latest
		? null
		: `should have been ended between ${timeout} and ${latest} s`;
}
