import leven from 'leven';

/** Helps whoever misspelt a name: `did you mean timeout?`, or all known names where none is near. */
export function suggest(unknown: string, known: readonly string[]): string {
	const nearest = known.toSorted((a, b) => leven(unknown, a) - leven(unknown, b))[0] ?? '';
	return leven(unknown, nearest) <= Math.max(2, nearest.length / 2)
		? `did you mean ${nearest}?`
		: `known are ${known.join(', ')}`;
}
