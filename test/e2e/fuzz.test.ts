/** Requests that nobody would write, made from the daemon's own OpenAPI document. */
import test from 'ava';
import fc from 'fast-check';
import {TestDaemon} from '../helpers/daemon.js';
import {type Document, type Endpoint, listEndpoints, type Schema} from '../helpers/openapi.js';
import {makeStateDir} from '../helpers/state-dir.js';
import {makeTempDir} from '../helpers/temp-dir.js';

const runsForEachEndpoint = 20;

/** The same requests in each run; another number makes others. */
const seed = Number(process.env['NOHUPD_TEST_SEED'] ?? 20_261_124);

/** Only a daemon that hangs takes that long. */
const hangMs = 20_000;

const junk = fc.jsonValue({maxDepth: 2});

/** Nothing that would do harm, and nothing that the test would have to wait for. */
const harmless: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
	command: fc.constantFrom('true', 'exit 3', 'echo x >&2', ' ', 'true\0', 5),
	code: fc.constantFrom('true', '1', '', 'true\0', 5),
	signal: fc.constantFrom('SIGTERM', 'SIGKILL', 'SIGNONE', '', 9),
	grace_period: fc.constantFrom(0, 0.1, -1, '0', 1e300),
	working_dir: fc.constantFrom('/tmp', '/', '/nowhere', 'x\0', ''),
	workdir: fc.constantFrom('/tmp', '/', '/nowhere', 'x\0', ''),
	timeout: fc.constantFrom(0, 0.1, 1, -1, '0', 1e300),
	ready: fc.constantFrom(
		{log: 'x', timeout: 1},
		{port: 1},
		{http: 'http://127.0.0.1:1'},
		{},
		{log: ''},
		{port: 'x'},
		5,
	),
	type: fc.constantFrom('ended', 'queued,started', 'x', ''),
	stream: fc.constantFrom('stdout', 'stderr', 'both', ''),
	from: fc.constantFrom('stdout:0', 'stdout:1,stderr:99999', 'stdout:-1', ''),
	format: fc.constantFrom('json', 'raw', 'x'),
	encoding: fc.constantFrom('utf8', 'base64', 'x'),
};

function arbitraryOf(name: string, {type}: Schema): fc.Arbitrary<unknown> {
	const typed: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
		string: fc.string(),
		integer: fc.oneof(fc.integer(), fc.constantFrom(0, -1, 2 ** 53)),
		number: fc.double({noNaN: true, noDefaultInfinity: true}),
		boolean: fc.boolean(),
		array: fc.array(fc.string(), {maxLength: 5}),
		object: fc.dictionary(fc.string({minLength: 1}), fc.string(), {maxKeys: 5}),
	};
	return harmless[name] ?? fc.oneof({weight: 4, arbitrary: typed[type ?? ''] ?? junk}, {weight: 1, arbitrary: junk});
}

function requestsTo({method, path, operation}: Endpoint, ids: readonly string[]) {
	const id = fc.oneof(
		{weight: 2, arbitrary: fc.constantFrom(...ids)},
		{weight: 1, arbitrary: fc.string().map(encodeURIComponent)},
	);
	const inQuery = operation.parameters.filter(parameter => parameter.in === 'query');
	const query = fc.record(Object.fromEntries(inQuery.map(({name, schema}) => [name, arbitraryOf(name, schema)])), {
		// Without it a long poll takes its time.
		requiredKeys: inQuery.map(({name}) => name).filter(name => name === 'timeout'),
	});
	const {properties = {}} = operation.requestBody?.content['application/json']?.schema ?? {};
	const fields = Object.entries(properties).map(([name, schema]) => [
		name,
		name === 'process_id' ? id : arbitraryOf(name, schema),
	]);
	const body = fc.oneof(
		{weight: 5, arbitrary: fc.record(Object.fromEntries(fields), {requiredKeys: []})},
		{weight: 1, arbitrary: junk},
	);
	return fc.record({
		method: fc.constant(method),
		target: fc
			.tuple(id, query)
			.map(
				([id, query]) => `${path.replace('{process_id}', id)}?${new URLSearchParams(query as Record<string, string>)}`,
			),
		body:
			method === 'GET'
				? fc.constant(undefined)
				: fc.option(
						body.map(value => JSON.stringify(value)),
						{nil: undefined},
					),
	});
}

interface Sent {
	readonly method: string;
	readonly target: string;
	readonly body?: string | undefined;
}

/** The status. Rejects where none comes. */
async function send({url, token}: TestDaemon, {method, target, body}: Sent): Promise<number> {
	const response = await fetch(`${url}${target}`, {
		method,
		headers: {authorization: `Bearer ${token}`, 'content-type': 'application/json'},
		signal: AbortSignal.timeout(hangMs),
		...(body === undefined ? {} : {body}),
	});
	// A stream has no end of its own.
	await (response.headers.get('content-type') === 'text/event-stream' ? response.body?.cancel() : response.text());
	return response.status;
}

test('no request finds a 5xx, and none hangs', async t => {
	const daemon = await TestDaemon.open(t, makeStateDir(t), {NOHUPD_WORKING_DIR: makeTempDir(t)});
	const {json} = await daemon.ask('GET', '/openapi.json');
	const seen = new Map<number, number>();
	for (const endpoint of listEndpoints(json as Document)) {
		const {process_id: running} = await daemon.start({command: 'echo x; sleep 600', stdin: true, ready: {log: 'y'}});
		const {process_id: ended} = await daemon.start({command: 'true'});
		await fc.assert(
			fc.asyncProperty(requestsTo(endpoint, [running, ended, 'proc_0']), async request => {
				const status = await send(daemon, request);
				seen.set(status, (seen.get(status) ?? 0) + 1);
				return status < 500;
			}),
			{numRuns: runsForEachEndpoint, endOnFailure: true, seed},
		);
		await daemon.kill(running);
	}

	t.log(`Answers by status: ${JSON.stringify(Object.fromEntries(seen))}`);
	t.true((seen.get(200) ?? 0) > 50 && (seen.get(400) ?? 0) > 50, 'The requests are all good or all bad');
	const left = await daemon.list('?status=running');
	await Promise.all(left.map(({process_id: id}) => daemon.kill(id)));
	t.is((await daemon.ask('GET', '/health')).status, 200);
});
