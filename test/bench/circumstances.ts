import {readFileSync} from 'node:fs';
import {availableParallelism, cpus, release, totalmem} from 'node:os';
import {firstLineOf} from './peers/install.js';

/** Where it was measured, and with what. Results of other circumstances do not belong in one table. */
export interface Circumstances {
	readonly form: string;
	readonly machine: string;
	readonly kernel: string;
	/** By name: ours, and of what everybody stands on. */
	readonly versions: Readonly<Record<string, string>>;
}

export function readCircumstances(form: string): Circumstances {
	return {form, machine: machine(), kernel: `Linux ${release()}`, versions: readVersions()};
}

function machine(): string {
	const [cpu] = cpus();
	const gigabytes = Math.round(totalmem() / 2 ** 30);
	return `${availableParallelism()} × ${cpu?.model.trim() ?? 'unknown processor'}, ${gigabytes} GB`;
}

function readVersions(): Record<string, string> {
	return {
		nohupd: versionIn('../../..'),
		'Node.js': process.version,
		bash: firstLineOf('bash', ['-c', 'echo $BASH_VERSION']),
		execa: versionIn('../../../node_modules/execa'),
		'tree-kill': versionIn('../../../node_modules/tree-kill'),
	};
}

/** Of the package in a directory. */
function versionIn(directory: string): string {
	const packageFile = new URL(`${directory}/package.json`, import.meta.url);
	return (JSON.parse(readFileSync(packageFile, 'utf8')) as {version: string}).version;
}
