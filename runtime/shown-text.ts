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

/**
 * A stranger's text whole, with all that a terminal would act upon, or that would not be seen, spelled out: control
 * characters (C1 as well), line breaks, marks that turn the direction of writing.
 */
export function escaped(text: string): string {
	return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, spelled);
}

/** JSON that a terminal can show: the same value, its control characters spelled `\u009b`. */
export function escapedJson(value: unknown): string {
	return JSON.stringify(value).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, asUnits);
}

const shortSpellings: Readonly<Record<string, string>> = {'\n': '\\n', '\r': '\\r', '\t': '\\t'};

function spelled(character: string): string {
	const code = character.codePointAt(0) ?? 0;
	return shortSpellings[character] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u{${hex(code, 1)}}`);
}

function asUnits(character: string): string {
	return Array.from({length: character.length}, (_, index) => `\\u${hex(character.charCodeAt(index), 4)}`).join('');
}

function hex(code: number, digits: number): string {
	return code.toString(16).padStart(digits, '0');
}
