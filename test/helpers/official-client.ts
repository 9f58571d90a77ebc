import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {Sandbox} from '@hopx-ai/sdk';
import type {ExecutionContext} from 'ava';

/** Where the daemon is, and what opens it. */
export interface Door {
	readonly url: string;
	readonly token: string;
}

/** The official client, unmodified, led to the daemon by a stand-in for the control plane it asks first. */
export async function openOfficialClient(t: ExecutionContext, {url, token}: Door): Promise<Sandbox> {
	const sandbox = {id: 'sandbox', status: 'running', public_host: url};
	const tokenExpiresAt = new Date(Date.now() + 24 * 60 * 60 * 1000).toISOString();
	const answers: Record<string, object> = {
		'GET /v1/sandboxes/sandbox': sandbox,
		'POST /v1/sandboxes/sandbox/token/refresh': {auth_token: token, token_expires_at: tokenExpiresAt},
	};
	const controlPlane = createServer((request, response) => {
		const answer = answers[`${request.method} ${request.url}`];
		response.writeHead(answer === undefined ? 404 : 200, {'content-type': 'application/json'});
		response.end(JSON.stringify(answer ?? {}));
	});
	await new Promise<void>(resolve => controlPlane.listen(0, '127.0.0.1', resolve));
	t.teardown(() => {
		controlPlane.close();
		controlPlane.closeAllConnections();
	});
	const {port} = controlPlane.address() as AddressInfo;
	return Sandbox.connect('sandbox', 'key', `http://127.0.0.1:${port}`);
}
