import {Problem} from './problem.js';

/** Where a request goes. */
export interface Target {
	/** As it came, without the query. */
	readonly path: string;
	/** As it came, with the question mark; empty where there is none. */
	readonly query: string;
}

/** Not by `URL`, which resolves `..` and `%2e%2e`: what was asked for is what is looked up. */
export function parseTarget(url: string): Target {
	// RFC 9112 section 3.2.2: a server must take the absolute form too.
	const local = url.replace(/^https?:\/\/[^/?]*/i, '');
	const [path = ''] = local.split('?', 1);
	return {path, query: local.slice(path.length)};
}

/** @throws {Problem} 400 */
export function decodeSegments(path: string): string[] {
	return path
		.split('/')
		.slice(1)
		.map(segment => decode(segment, 'path'));
}

/** @throws {Problem} 400: `URLSearchParams` would take what is no UTF-8 for other characters. */
export function decodeQuery(query: string): URLSearchParams {
	if (query.includes('%')) {
		decode(query, 'query');
	}

	return new URLSearchParams(query);
}

function decode(text: string, what: string): string {
	try {
		return decodeURIComponent(text);
	} catch (cause) {
		throw new Problem('INVALID_REQUEST', `The ${what} is not percent-encoded UTF-8`, {cause});
	}
}
