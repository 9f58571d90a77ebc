/** Text of others as we show it. */

const shownLength = 80;

/** A stranger's text, short and without control characters, as a sentence or a terminal can show it. */
export function printable(text: string): string {
	const plain = text.slice(0, shownLength).toWellFormed().replaceAll(/\p{C}/gu, '');
	return text.length > shownLength ? `${plain}…` : plain;
}

/** Text cut to `maxLength` characters, the cut marked with `…`. */
export function cut(text: string, maxLength: number): string {
	if (text.length <= maxLength) {
		return text;
	}

	// Not through the middle of a surrogate pair: the half would be no character.
	const end = /[\uD800-\uDBFF]/.test(text.charAt(maxLength - 1)) ? maxLength - 1 : maxLength;
	return `${text.slice(0, end)}…`;
}
