import {join} from 'node:path';
import {readLines} from '../helpers/state-files.js';

/** What a command itself wrote down. Moments are milliseconds since 1970. */
export interface Truth {
	/** Each time that it ran: as which process, and when. */
	readonly began: readonly {readonly processId: string; readonly at: number}[];
	/** Its exit code, just before it left. */
	readonly ended: {readonly exitCode: string; readonly at: number} | null;
	/** Whether each line that it wrote was taken. */
	readonly hasWritten: boolean;
}

export function readTruth(marks: string, name: string): Truth {
	const lines = readLines(join(marks, name)).map(line => line.split(' '));
	const noted = (what: string) =>
		lines
			.filter(([word]) => word === what)
			.map(([, fact = '', seconds]) => ({fact, at: 1000 * Number(seconds?.replace(',', '.'))}));
	const [ended] = noted('ended');
	return {
		began: noted('began').map(({fact, at}) => ({processId: fact, at})),
		ended: ended === undefined ? null : {exitCode: ended.fact, at: ended.at},
		hasWritten: noted('written').length > 0,
	};
}
