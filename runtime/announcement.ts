import {fileURLToPath} from 'node:url';
import {nearUrlOf, urlOf} from './address.js';
import type {Daemon} from './daemon.js';
import type {Key} from './key.js';
import {homeStateDir} from './state-dir.js';

/** What the daemon says when it is ready: where it is, and lines to paste into another terminal. */
export function announcement(host: string, {address, key}: Pick<Daemon, 'address' | 'key'>, stateDir: string): string {
	return [
		`nohupd listening on ${urlOf(host, address.port)}`,
		...aboutTokens(key, stateDir),
		'Start a command:',
		`  ${curlLine(nearUrlOf(host, address.port), token(key, stateDir))}`,
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

/** One word for a shell. */
function quoted(word: string): string {
	return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
