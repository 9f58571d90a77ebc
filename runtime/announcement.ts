import {fileURLToPath} from 'node:url';
import type {Daemon} from './daemon.js';
import type {Key} from './key.js';
import {homeStateDir} from './state-dir.js';

/** What the daemon says when it is ready: where it is, and lines to paste into another terminal. */
export function announcement(host: string, {address, key}: Pick<Daemon, 'address' | 'key'>, stateDir: string): string {
	const url = `http://${inUrl(host)}:${address.port}`;
	const nearUrl = `http://${inUrl(nearHost(host))}:${address.port}`;
	return [
		`nohupd listening on ${url}`,
		...aboutTokens(key, stateDir),
		'Start a command:',
		`  ${curlLine(nearUrl, token(key, stateDir))}`,
		'',
	].join('\n');
}

function aboutTokens(key: Key, stateDir: string): string[] {
	switch (key.kind) {
		case 'secret':
			return [`Tokens are signed with ${key.origin}. Make one:`, `  ${tokenCommand(stateDir)}`];
		case 'public':
			return ['Tokens come from whoever holds the private half of the public key.'];
		case 'key set':
			return [`Tokens come from whoever publishes the keys at ${key.url.href}.`];
	}
}

function token(key: Key, stateDir: string): string {
	return key.kind === 'secret' ? `$(${tokenCommand(stateDir)})` : '$TOKEN';
}

/** Works from every directory, and where nohupd is not installed. */
function tokenCommand(stateDir: string): string {
	const main = fileURLToPath(new URL('./main.js', import.meta.url));
	// Another terminal may not have the variables that this directory was found by.
	const directory = stateDir === homeStateDir() ? [] : ['--state-dir', stateDir];
	return [process.execPath, main, 'token', ...directory].map(quoted).join(' ');
}

function curlLine(url: string, bearer: string): string {
	return [
		`curl -s -H "Authorization: Bearer ${bearer}"`,
		"-H 'Content-Type: application/json'",
		`-d '{"command":"echo hello"}'`,
		`${url}/commands/background`,
	].join(' ');
}

/** RFC 3986 section 3.2.2. */
function inUrl(host: string): string {
	return host.includes(':') ? `[${host}]` : host;
}

/** Where this machine reaches what listens on all of its addresses. */
function nearHost(host: string): string {
	return {'0.0.0.0': '127.0.0.1', '::': '::1'}[host] ?? host;
}

/** One word for a shell. */
function quoted(word: string): string {
	return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
