/** Now, in milliseconds since 1970, finer than `Date.now`: to be compared with what commands write down. */
export function nowMs(): number {
	return performance.timeOrigin + performance.now();
}
