import {Problem} from './problem.js';

/** Where a request goes. */
export interface Target {
	/** As it came, without the query. */
	readonly path: string;
	readonly query: URLSearchParams;
}

/** Not by `URL`, which resolves `..` and `%2e%2e`: what was asked for is what is looked up. */
export function parseTarget(url: string): Target {
	// RFC 9112 section 3.2.2: a server must take the absolute form too.
	const local = url.replace(/^https?:\/\/[^/?]*/i, '');
	const [path = ''] = local.split('?', 1);
	return {path, query: new URLSearchParams(local.slice(path.length))};
}

/** @throws {Problem} 400 */
export function decodeSegments(path: string): string[] {
	try {
		return path.split('/').slice(1).map(decodeURIComponent);
	} catch (cause) {
		throw new Problem('INVALID_REQUEST', 'The path is not percent-encoded UTF-8', {cause});
	}
}
