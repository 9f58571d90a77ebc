import {SupervisorError} from '../lib/index.js';

/** Why a command of ours cannot be carried out, in a sentence that needs nothing added. */
export class CannotError extends Error {
	override readonly name = 'CannotError';
}

/** Any failure as one sentence for a terminal. */
export function describeFailure(error: unknown): string {
	if (error instanceof SupervisorError || error instanceof CannotError) {
		return error.message;
	}

	if (!(error instanceof Error)) {
		return `nohupd failed: ${String(error)}`;
	}

	const {code, syscall} = error as NodeJS.ErrnoException;
	return (syscall === 'listen' || syscall === 'getaddrinfo') && code !== undefined
		? describeListenFailure(code, error)
		: `nohupd failed: ${error.message.replaceAll(/\s*\n\s*/g, ' ')}`;
}

interface ListenError extends NodeJS.ErrnoException {
	readonly address?: string;
	readonly hostname?: string;
	readonly port?: number;
}

const flags = '--host and --port (NOHUPD_HOST, NOHUPD_PORT)';

function describeListenFailure(code: string, {address, hostname, port, message}: ListenError): string {
	const host = address ?? hostname ?? 'the host';
	switch (code) {
		case 'EADDRINUSE':
			return `Port ${port} of ${host} is in use by another program: choose another one with ${flags}`;
		case 'EACCES':
			return `Port ${port} of ${host} needs a privilege that nohupd does not have: choose another one with ${flags}`;
		case 'EADDRNOTAVAIL':
		case 'ENOTFOUND':
		case 'EAI_AGAIN':
			return `${host} is not an address of this machine: choose another one with ${flags}`;
		default:
			return `nohupd cannot listen: ${message}`;
	}
}
