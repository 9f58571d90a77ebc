import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {eventually} from '../helpers/eventually.js';
import {findProcesses, killQuietly} from '../helpers/processes.js';
import type {Place} from './peers/peers.js';
import {exited, spawnIntoFiles} from './runner.js';
import type {Figures} from './worker.js';

/** What one contender does in one round. */
export interface Turn {
	readonly work: string;
	readonly contender: string;
	readonly options: object;
	readonly nodeFlags: readonly string[];
	/** Where a peer was installed; empty for all others. */
	readonly peerPath: string;
	readonly place: Place | undefined;
	readonly limitMs: number;
	/** Ends it at once. */
	readonly interruption: AbortSignal;
}

const here: Place = {node: [process.execPath], worker: fileURLToPath(new URL('worker.js', import.meta.url))};

/** In a program of its own. Rejects with the reason where it fails or takes too long; nothing of it is left either way. */
export async function takeTurn(turn: Turn): Promise<Figures> {
	turn.interruption.throwIfAborted();
	// On a disk, as state directories are; what is in /tmp may be in memory, or among many others' files.
	const dir = mkdtempSync('/var/tmp/nohupd-bench-');
	const {work, contender, options, nodeFlags, peerPath, place = here} = turn;
	const [file = '', ...first] = place.node;
	const args = [...first, ...nodeFlags, place.worker, work, contender, dir, JSON.stringify(options), peerPath];
	// Into files, not pipes: a daemon that a contender has left behind would hold these open, and us for ever.
	const worker = spawnIntoFiles(join(dir, 'worker'), file, args, {
		env: {...process.env, NOHUPD_BENCH_TURN: dir},
		cwd: '/',
	});
	const end = () => killQuietly(worker.pid ?? 0);
	const timer = setTimeout(end, turn.limitMs);
	turn.interruption.addEventListener('abort', end);
	try {
		await exited(worker);
		return readFigures(dir, worker.signalCode === null ? null : `not done within ${turn.limitMs / 1000} s`);
	} finally {
		clearTimeout(timer);
		turn.interruption.removeEventListener('abort', end);
		await endAll(dir);
		rmSync(dir, {recursive: true, force: true});
	}
}

function readFigures(dir: string, cutShort: string | null): Figures {
	const [last] = readFileSync(join(dir, 'worker.out'), 'utf8').trimEnd().split('\n').slice(-1);
	if (cutShort === null && last?.startsWith('{')) {
		return JSON.parse(last) as Figures;
	}

	const said = /^\w*Error: .*$/m.exec(readFileSync(join(dir, 'worker.err'), 'utf8'))?.[0];
	throw new Error([cutShort, said].filter(Boolean).join(': ') || 'ended without figures');
}

/** Whoever was started in a turn carries its cookie; keepers, which take no environment, have its directory in their words. */
function endAll(dir: string): Promise<unknown> {
	return eventually(() => {
		const left = [...findProcesses(`NOHUPD_BENCH_TURN=${dir}`), ...findProcesses(dir, 'cmdline')];
		left.forEach(killQuietly);
		return left.length === 0;
	});
}
