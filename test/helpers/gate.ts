import {existsSync, writeFileSync} from 'node:fs';
import {besides} from './state-files.js';

/** Holds commands back until the test lets them go. */
export interface Gate {
	/** A shell command that ends once the gate is open. */
	readonly wait: string;
	readonly isOpen: boolean;
	open(): void;
}

export function makeGate(stateDir: string, name = 'gate'): Gate {
	const path = besides(stateDir, name);
	return {
		wait: `until [ -e '${path}' ]; do sleep 0.05; done`,
		get isOpen() {
			return existsSync(path);
		},
		open: () => writeFileSync(path, ''),
	};
}
