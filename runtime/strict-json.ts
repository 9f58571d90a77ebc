/** JSON as it is safe to accept: two keys of one name mean something else to every reader (RFC 8259 section 4). */

const maxDepth = 64;
const quote = 0x22;
const backslash = 0x5c;

/** Why a text is no JSON that we accept; ends a sentence. Repeats nothing of the text but a key's name. */
export class JsonInvalidError extends Error {
	override readonly name = 'JsonInvalidError';

	constructor(
		readonly problem: string,
		readonly field?: string,
	) {
		super(problem);
	}
}

/** @throws {JsonInvalidError} */
export function parseStrictJson(text: string): unknown {
	assertDepthAndKeys(text);
	try {
		return JSON.parse(text);
	} catch (error) {
		throw new JsonInvalidError(`is not valid JSON${explain(error)}`);
	}
}

/**
 * Looks only at brackets and strings, so that a body of megabytes takes milliseconds (a whole parser that
 * reports its keys takes a second for 8 MB of escapes, on the event loop). What is no JSON at all is
 * left to `JSON.parse`.
 */
function assertDepthAndKeys(text: string): void {
	/** The keys so far of each object that is open; `null` for an array. */
	const open: (Set<string> | null)[] = [];
	const structure = /["{}[\]]/g;
	for (let match = structure.exec(text); match !== null; match = structure.exec(text)) {
		switch (match[0]) {
			case '"': {
				const end = endOfString(text, match.index);
				addKey(open.at(-1), text, match.index, end);
				structure.lastIndex = end;
				break;
			}

			case '{':
			case '[':
				open.push(match[0] === '{' ? new Set() : null);
				assertDepth(open.length);
				break;
			default:
				open.pop();
		}
	}
}

function assertDepth(depth: number): void {
	if (depth > maxDepth) {
		throw new JsonInvalidError(`is nested deeper than ${maxDepth} levels`);
	}
}

/** The index after the closing quote, or the end of the text. */
function endOfString(text: string, start: number): number {
	for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
		let backslashes = 0;
		while (text.charCodeAt(end - 1 - backslashes) === backslash) {
			backslashes += 1;
		}

		if (backslashes % 2 === 0) {
			return end + 1;
		}
	}

	return text.length;
}

function addKey(keys: Set<string> | null | undefined, text: string, start: number, end: number): void {
	if (!keys || !isFollowedByColon(text, end)) {
		return;
	}

	const key = keyOf(text.slice(start, end));
	if (keys.has(key)) {
		throw new JsonInvalidError(`has the key ${JSON.stringify(key.slice(0, 80))} twice in one object`, key.slice(0, 80));
	}

	keys.add(key);
}

function isFollowedByColon(text: string, end: number): boolean {
	const colon = /[ \t\r\n]*:/y;
	colon.lastIndex = end;
	return colon.test(text);
}

/** `"a"` and `"\u0061"` are one key. */
function keyOf(literal: string): string {
	if (!literal.includes('\\')) {
		return literal.slice(1, literal.charCodeAt(literal.length - 1) === quote ? -1 : undefined);
	}

	try {
		return JSON.parse(literal) as string;
	} catch {
		// No JSON at all: JSON.parse will say so of the whole text.
		return literal;
	}
}

const withoutText = /^(Unexpected end of JSON input|Unexpected token '.'|[^"]{1,80} JSON at position \d+)/u;

/** What V8 says, without the piece of the text that it repeats: that may hold an environment value. */
function explain(error: unknown): string {
	const [problem] = withoutText.exec(String((error as Error).message)) ?? [];
	return problem === undefined ? '' : `: ${problem}`;
}
