/** Addresses as people and clients write them. */

/** The URL of what listens on a host as it was given. */
export function urlOf(host: string, port: number): string {
	return `http://${inUrl(host)}:${port}`;
}

/** The same for whoever is on this machine. */
export function nearUrlOf(host: string, port: number): string {
	return urlOf(nearHost(host), port);
}

/** RFC 3986 section 3.2.2. */
function inUrl(host: string): string {
	return host.includes(':') ? `[${host}]` : host;
}

/** Where this machine reaches what listens on all of its addresses. */
function nearHost(host: string): string {
	return {'0.0.0.0': '127.0.0.1', '::': '::1'}[host] ?? host;
}
