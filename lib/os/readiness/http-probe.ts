import type {Answer} from './port-probe.js';

const answerMs = 2000;

/**
 * Whether a GET is answered with a status below 500. Redirects are an answer and are not followed; of the body
 * nothing is read; a certificate may be anybody's, since nothing is told but the path. Never rejects.
 */
export async function answersGet(url: string): Promise<Answer> {
	// Only now: most processes are not watched in this way.
	const {get} = url.startsWith('https:') ? await import('node:https') : await import('node:http');
	return new Promise(resolve => {
		const request = get(url, {agent: false, timeout: answerMs, rejectUnauthorized: false}, ({statusCode = 500}) => {
			request.destroy();
			resolve(statusCode < 500 ? 'yes' : 'no');
		});
		request.once('timeout', () => request.destroy());
		request.on('error', () => resolve('no'));
		request.once('close', () => resolve('no'));
	});
}
