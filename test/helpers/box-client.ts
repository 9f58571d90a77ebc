/** Asks nohupd from inside a box: reads requests as lines of JSON, and prints their answers in the same order. */
import {request} from 'node:http';
import {createInterface} from 'node:readline';
import type {BoxAnswer} from './systemd-box.js';

interface BoxRequest {
	readonly method: string;
	readonly path: string;
	readonly token: string;
	readonly body?: object;
}

function ask({method, path, token, body}: BoxRequest): Promise<BoxAnswer> {
	return new Promise(resolve => {
		const headers = {
			authorization: `Bearer ${token}`,
			...(body === undefined ? {} : {'content-type': 'application/json'}),
		};
		const asked = request({host: '127.0.0.1', port: 7777, agent: false, method, path, headers}, async response => {
			let text = '';
			try {
				for await (const chunk of response.setEncoding('utf8')) {
					text += chunk;
				}

				resolve({status: response.statusCode ?? 0, text});
			} catch (error) {
				resolve({status: 0, text, error: String(error)});
			}
		});
		asked.on('error', error => resolve({status: 0, text: '', error: String(error)}));
		asked.end(body === undefined ? undefined : JSON.stringify(body));
	});
}

let last: Promise<unknown> = Promise.resolve();
createInterface({input: process.stdin}).on('line', line => {
	const answer = ask(JSON.parse(line));
	last = last.then(async () => process.stdout.write(`${JSON.stringify(await answer)}\n`));
});
