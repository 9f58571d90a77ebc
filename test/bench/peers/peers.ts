import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Runner} from '../runner.js';
import {installPm2, openPm2} from './pm2.js';
import {installSpawnLoop} from './spawn-loop.js';
import {installSupervisord, openSupervisord} from './supervisord.js';
import {bootForSystemdRun, openSystemdRun} from './systemd-run.js';
import {installTaskSpooler, openTaskSpooler} from './task-spooler.js';

/** What people use instead, and what the kernel allows. */
export type PeerName = keyof typeof installers;

/** Where a worker can run. */
export interface Place {
	/** The program and first arguments that are a node there. */
	readonly node: readonly string[];
	/** The script of the worker. */
	readonly worker: string;
}

/** A peer that is there. */
export interface Installed {
	readonly version: string;
	/** Where its workers run; default: here. */
	readonly place?: Place;
	/** What else is to be undone than to remove its directory. */
	readonly close?: () => Promise<unknown>;
}

/** A peer and where it is, or why there is none. */
export type Peer = (Installed & {readonly path: string; remove(): Promise<void>}) | {readonly skipped: string};

/** Into a directory of its own; the machine stays as it is. Each gives its reason by throwing. */
const installers = {
	pm2: installPm2,
	supervisord: installSupervisord,
	'task-spooler': installTaskSpooler,
	'systemd-run': bootForSystemdRun,
	posix_spawn: installSpawnLoop,
} satisfies Readonly<Record<string, (dir: string) => Installed | Promise<Installed>>>;

const openers: Readonly<Record<string, (path: string, dir: string) => Promise<Runner> | Runner>> = {
	pm2: openPm2,
	supervisord: openSupervisord,
	'task-spooler': openTaskSpooler,
	'systemd-run': openSystemdRun,
};

export function isPeer(contender: string): contender is PeerName {
	return contender in installers;
}

/** Whoever asks removes it. */
export async function installPeer(name: PeerName): Promise<Peer> {
	const path = mkdtempSync(join(tmpdir(), `nohupd-bench-${name}-`));
	const removeFiles = () => rmSync(path, {recursive: true, force: true});
	try {
		const installed: Installed = await installers[name](path);
		const remove = async () => {
			await installed.close?.();
			removeFiles();
		};
		return {...installed, path, remove};
	} catch (error) {
		removeFiles();
		return {skipped: (error as Error).message.split('\n')[0] ?? ''};
	}
}

/** Runs commands through a peer that was installed before, at `path`. */
export function openPeer(name: string, path: string, dir: string): Promise<Runner> | Runner {
	const open = openers[name];
	if (open === undefined) {
		throw new Error(`Nobody is called ${name}`);
	}

	return open(path, dir);
}
