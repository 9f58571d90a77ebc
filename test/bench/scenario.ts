import type {PeerName} from './peers/peers.js';
import type {Target} from './target.js';
import type {Work} from './worker.js';

/** One line of the table: the same figure of several contenders. */
export interface Line {
	readonly title: string;
	/** What the work calls it. */
	readonly figure: string;
	readonly unit: string;
	/** Who is shown; default: all. */
	readonly of?: readonly string[];
	readonly target?: Target;
}

/** Measurements that come out of one turn of each contender. */
export interface Scenario {
	readonly name: string;
	readonly work: Work;
	readonly options: object;
	/** Some are peers, which are installed first. */
	readonly contenders: readonly string[];
	/** Peers that are slow get less to do. */
	readonly slow?: {readonly contenders: readonly PeerName[]; readonly options: object};
	readonly nodeFlags?: readonly string[];
	readonly lines: readonly Line[];
}

/** The same measurements at several sizes. */
export interface Growth {
	readonly name: string;
	/** What there are ever more of. */
	readonly over: string;
	readonly sizes: readonly number[];
	readonly at: (size: number) => Omit<Scenario, 'name' | 'lines'>;
	readonly lines: readonly Line[];
}

export function line(
	title: string,
	figure: string,
	unit: string,
	{of, target}: {readonly of?: readonly string[]; readonly target?: Target} = {},
): Line {
	return {title, figure, unit, ...(of && {of}), ...(target && {target})};
}
