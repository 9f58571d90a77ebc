import type {Containment, EndReason, PublicStatus} from '../lib/index.js';

/** What happened, as far as it is counted. */
export type Fact =
	| {readonly kind: 'started'; readonly latencyMs: number}
	| {
			readonly kind: 'ended';
			readonly status: PublicStatus;
			readonly reason: EndReason;
			readonly containment: Containment;
			/** `null` where it is not known. */
			readonly durationMs: number | null;
	  }
	| {readonly kind: 'output'; readonly stdout: StreamFact; readonly stderr: StreamFact};

/** What one stream of a process came to. */
export interface StreamFact {
	readonly bytes: number;
	/** Of these, no longer kept. */
	readonly droppedBytes: number;
}
