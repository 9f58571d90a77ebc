/** FAULTS 37: an id that is a way to somewhere else. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {request} from 'node:http';
import {join} from 'node:path';
import test from 'ava';
import {TestDaemon} from '../helpers/daemon.js';
import {type Document, listEndpoints} from '../helpers/openapi.js';
import {makeStateDir} from '../helpers/state-dir.js';
import {besides} from '../helpers/state-files.js';

const canary = 'the canary that nobody may read';

const ways = [
	'canary',
	'..',
	'../',
	'../../canary',
	'%2e%2e',
	'%2e%2e%2f%2e%2e%2fcanary',
	'..%2f..%2fcanary',
	'%2Fetc%2Fpasswd',
	'/etc/passwd',
	'%00',
	'proc_0%00',
	'proc_0%2f..%2f..%2fcanary',
	'proc_0/../../../canary',
	'proc_0%0a',
	'%c0%ae%c0%ae',
	'%',
	'.',
	'~',
	`proc_${'a'.repeat(5000)}`,
	'__proto__',
	'*',
];

/** Without a client that would straighten the path first. */
function ask(
	{url, token}: TestDaemon,
	method: string,
	path: string,
	body?: object,
): Promise<{status: number; text: string}> {
	const {hostname, port} = new URL(url);
	const payload = body === undefined ? '' : JSON.stringify(body);
	return new Promise((resolve, reject) => {
		const headers = {authorization: `Bearer ${token}`, 'content-length': Buffer.byteLength(payload)};
		const sent = request({hostname, port, method, path, agent: false, headers});
		sent.on('error', error => reject(new Error(`${method} ${path}`, {cause: error})));
		sent.once('response', response => {
			let text = '';
			response.setEncoding('utf8');
			response.on('data', chunk => {
				text += chunk;
			});
			response.once('end', () => resolve({status: response.statusCode ?? 0, text}));
		});
		sent.end(payload);
	});
}

test('no path, query or body leads out of the state directory', async t => {
	const stateDir = makeStateDir(t);
	const daemon = await TestDaemon.open(t, stateDir);
	// As whatever an id could be taken for.
	for (const place of [besides(stateDir, 'canary'), ...['canary', 'runs/canary'].map(name => join(stateDir, name))]) {
		mkdirSync(place);
		for (const name of ['stdout', 'stderr', 'spec', 'claim', 'dropped']) {
			writeFileSync(join(place, name), canary);
		}
	}

	writeFileSync(join(stateDir, 'records/canary'), canary);

	const {json} = await daemon.ask('GET', '/openapi.json');
	const endpoints = listEndpoints(json as Document);
	const inPaths = endpoints.filter(({path}) => path.includes('{process_id}'));
	const kill = endpoints.find(({operation}) => operation.operationId === 'killProcess');
	t.true(inPaths.length > 3 && kill !== undefined);
	for (const way of ways) {
		const answers = [
			...(await Promise.all(
				inPaths.map(({method, path}) => ask(daemon, method, path.replace('{process_id}', way), undefined)),
			)),
			await ask(daemon, 'DELETE', `/execute/kill?process_id=${way}`),
			await ask(daemon, 'DELETE', '/execute/kill', {process_id: decode(way)}),
			await ask(daemon, 'GET', `/${way}`),
		];

		t.deepEqual(
			answers.filter(({status, text}) => ![400, 404, 405].includes(status) || text.includes(canary)),
			[],
			way,
		);
	}

	// A list is a path too.
	t.notRegex((await ask(daemon, 'GET', '/execute/processes')).text, /canary/);
});

function decode(way: string): string {
	try {
		return decodeURIComponent(way);
	} catch {
		// It is no UTF-8 at all.
		return way;
	}
}
