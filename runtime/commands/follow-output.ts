import {readChunk, readGap, readProcess, type ShownProcess} from '../client/answers.js';
import type {DaemonClient} from '../client/daemon-client.js';
import {CannotError} from '../failure.js';
import {tell} from './daemon-command.js';

/** Where each stream goes. */
export interface Sinks {
	readonly stdout?: NodeJS.WritableStream;
	readonly stderr?: NodeJS.WritableStream;
}

/** Writes what a process writes, byte by byte as it is. Settles with the process when it has ended. */
export async function followOutput(client: DaemonClient, processId: string, sinks: Sinks): Promise<ShownProcess> {
	const streams = Object.keys(sinks);
	for await (const {type, data} of client.followOutput(processId, streams.length === 1 ? streams[0] : undefined)) {
		switch (type) {
			case 'stdout':
			case 'stderr':
				sinks[type]?.write(bytesIn(data));
				break;
			case 'gap':
				tellOfGap(readGap(data));
				break;
			case 'end':
				return readProcess(data);
		}
	}

	throw new CannotError('The daemon has said nothing of the end');
}

/** Of bytes that were dropped before anybody asked for them. */
export function tellOfGap({from, to}: {readonly from: number; readonly to: number}): void {
	tell(`… ${to - from} bytes were dropped here`);
}

function bytesIn(data: string): Buffer {
	const {text, encoding = 'utf8'} = readChunk(data);
	return Buffer.from(text, encoding);
}
