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
	| {readonly kind: 'output'; readonly stdoutBytes: number; readonly stderrBytes: number};
