/** What a command writes, apart from where it is kept. */

/** What a command writes to. */
export type OutputStream = 'stdout' | 'stderr';

/** Both, in their usual order. */
export const outputStreams = ['stdout', 'stderr'] as const satisfies readonly OutputStream[];

/**
 * How far a stream reaches. Offsets are positions in all that was ever written to it, so they stay true when its
 * oldest bytes are dropped.
 */
export interface OutputExtent {
	/** Of the first byte that is still there: so many have been dropped. */
	readonly baseOffset: number;
	/** Bytes written since the start. */
	readonly totalBytes: number;
}

/** A part of one stream. */
export interface OutputPiece extends OutputExtent {
	/** Exactly as they were written. Empty where there are none (yet). */
	readonly bytes: Uint8Array;
	/** Of the first of the bytes: where it was asked for, or where what is kept begins. */
	readonly offset: number;
	/** Of the byte after the last one: where to go on. */
	readonly nextOffset: number;
	/** What was asked for and has been dropped; `null` where nothing was. */
	readonly gap: OutputGap | null;
}

/** Bytes that are gone. */
export interface OutputGap {
	/** Offset of the first of them that was asked for. */
	readonly from: number;
	/** Offset of the first byte after them. */
	readonly to: number;
}
