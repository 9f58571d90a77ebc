import {Validator} from '@seriousme/openapi-schema-validator';
import test, {type ExecutionContext} from 'ava';
import {EnvironmentFile} from '../../runtime/environment-file.js';
import {buildDocument, operations} from '../../runtime/openapi/document.js';
import {createRoutes} from '../../runtime/routes.js';
import {Statistics} from '../../runtime/statistics.js';
import {TestDaemon} from '../helpers/daemon.js';
import {mint, noMetrics, openServer} from '../helpers/http-server.js';
import {answerOf, createChecker, type Document, type Endpoint, listEndpoints} from '../helpers/openapi.js';
import {makeStateDir} from '../helpers/state-dir.js';
import {makeTempDir} from '../helpers/temp-dir.js';

function routesOf(t: ExecutionContext) {
	return createRoutes({
		version: '1.2.3',
		environment: new EnvironmentFile(makeTempDir(t)),
		statistics: new Statistics(),
		health: {json: async () => ({})},
		metrics: noMetrics,
	});
}

function documentOf(t: ExecutionContext): Document {
	// What is asked for over HTTP is JSON as well.
	return JSON.parse(JSON.stringify(buildDocument(routesOf(t), '1.2.3')));
}

test('every endpoint is described, and nothing else', t => {
	const routes = routesOf(t).map(({method, path}) => `${method} ${path}`);

	t.deepEqual(Object.keys(operations).sort(), routes.sort());
	t.is(new Set(routes).size, routes.length);
});

test('a body is described where one is taken, and nowhere else', t => {
	const taking = routesOf(t).filter(({takesBody}) => takesBody);
	const described = Object.entries(operations).filter(([, {body}]) => body !== undefined);

	t.deepEqual(described.map(([name]) => name).sort(), taking.map(({method, path}) => `${method} ${path}`).sort());
});

test('the document is valid OpenAPI 3.1', async t => {
	const validator = new Validator();

	const {valid, errors} = await validator.validate({...documentOf(t)});

	t.true(valid, JSON.stringify(errors, null, '\t'));
	t.is(validator.version, '3.1');
});

test('it is served, to whoever may read', async t => {
	const {ask} = await openServer(t);

	const {status, json} = await ask('GET', '/openapi.json');

	t.is(status, 200);
	t.deepEqual(json, {...documentOf(t)});
	t.is((await ask('GET', '/openapi.json', {token: null})).status, 401);
});

test('endpoints have names of their own, and whatever a request may hold has a type and a meaning', t => {
	const endpoints = listEndpoints(documentOf(t));
	const ids = endpoints.map(({operation}) => operation.operationId);
	const unclear = endpoints.flatMap(({method, path, operation: {parameters, requestBody}}) => {
		const inBody = Object.entries(requestBody?.content['application/json']?.schema.properties ?? {});
		return [
			...parameters.map(({name, schema, description}) => ({name, type: 'type' in schema, description})),
			...inBody.map(([name, {type, description}]) => ({name, type, description})),
		]
			.filter(({type, description}) => !type || !description)
			.map(({name}) => `${method} ${path}: ${name}`);
	});

	t.is(new Set(ids).size, ids.length);
	t.deepEqual(unclear, []);
});

test('what is said to be asked for is what is checked', t => {
	const document = documentOf(t);
	const body = document.paths['/commands/background']?.['post']?.requestBody?.content['application/json'];
	const query = document.paths['/execute/processes']?.['get']?.parameters.find(({name}) => name === 'limit');

	t.like(body?.schema, {
		type: 'object',
		required: ['command'],
		additionalProperties: false,
		properties: {
			timeout: {type: 'integer', minimum: 0, maximum: 2_147_483_647},
			env: {type: 'object', additionalProperties: {type: 'string'}},
			leftover: {enum: ['keep', 'kill']},
			limits: {type: 'object', properties: {memory_bytes: {type: 'integer', minimum: 1_048_576}}},
		},
	});
	t.like(query?.schema, {type: 'integer', minimum: 1, maximum: 1000, default: 1000});
});

test('each example of an answer is as its schema says', t => {
	const document = documentOf(t);
	const check = createChecker(document);
	for (const {method, path, operation} of listEndpoints(document)) {
		for (const {content} of Object.values(operation.responses)) {
			for (const {schema, example, examples = {}} of Object.values(content)) {
				const isRight = check(schema);
				const shown = [...(example === undefined ? [] : [example]), ...Object.values(examples).map(({value}) => value)];
				t.true(shown.length > 0 && shown.every(value => isRight(value)), `${method} ${path}: ${explain(isRight)}`);
			}
		}
	}
});

/** The request that the document shows; ids in it are those of a process that there is. */
function exampleOf({path, operation: {parameters, requestBody}}: Endpoint, processId: string) {
	const query = parameters.filter(parameter => parameter.in === 'query' && parameter.example !== undefined);
	const words = query.map(({name, example}) => `${name}=${example}`).join('&');
	const body = requestBody?.content['application/json']?.example;
	return {
		target: `${path.replace('{process_id}', processId)}${words === '' ? '' : `?${words}`}`,
		body: body && JSON.parse(JSON.stringify(body).replaceAll(/proc_\w+/g, processId)),
	};
}

/** One for all examples: it says something, is ready when it has, and listens. */
const busy = {command: 'echo hello; sleep 600', stdin: true, ready: {log: 'hello', timeout: 60}};

/** What comes, or of a stream the first event. */
async function send(
	t: ExecutionContext,
	daemon: TestDaemon,
	{method, target, body}: {method: string; target: string; body?: object},
): Promise<{status: number; type: string; event: string | null; data: unknown}> {
	if (/\/events\b|\/stream\b/.test(target)) {
		for await (const {event, data} of daemon.receive(t, target)) {
			return {status: 200, type: 'text/event-stream', event, data};
		}
	}

	const response = await fetch(`${daemon.url}${target}`, {
		method,
		headers: {authorization: `Bearer ${daemon.token}`, 'content-type': 'application/json'},
		...(body === undefined ? {} : {body: JSON.stringify(body)}),
	});
	const [type = ''] = response.headers.get('content-type')?.split(';') ?? [];
	const data = type === 'application/json' ? await response.json() : await response.text();
	return {status: response.status, type, event: null, data};
}

/** As the descriptions say in words. */
function schemaOfEvent(path: string, event: string | null): object {
	const kind = path === '/events' ? 'Event' : event === 'end' ? 'ProcessDetails' : 'OutputEvent';
	return {$ref: `#/components/schemas/${kind}${event === 'gap' ? 'Gap' : ''}`};
}

test('each example of a request works, and is answered as described', async t => {
	const daemon = await TestDaemon.open(t, makeStateDir(t));
	const {json} = await daemon.ask('GET', '/openapi.json');
	const document = json as Document;
	const check = createChecker(document);
	for (const endpoint of listEndpoints(document)) {
		const {method, path, operation} = endpoint;
		const {process_id: processId} = await daemon.start(busy);
		if (operation.operationId === 'forgetProcess') {
			await daemon.kill(processId);
		}

		const {target, body} = exampleOf(endpoint, processId);
		const [type, {schema}] = answerOf(operation, 200);
		const answer = await send(t, daemon, {method, target, body});

		const isRight = check(type === 'text/event-stream' ? schemaOfEvent(path, answer.event) : schema);
		t.is(answer.status, 200, `${method} ${path}: ${JSON.stringify(answer.data)}`);
		t.is(answer.type, type);
		t.true(isRight(answer.data), `${method} ${path}: ${explain(isRight)}`);
		await daemon.kill(processId);
	}
});

test('whoever has no token, or one that allows nothing, is refused as described', async t => {
	const {ask} = await openServer(t);
	const document = documentOf(t);
	const check = createChecker(document);
	for (const endpoint of listEndpoints(document).filter(({operation}) => operation.security.length > 0)) {
		const {method, path, operation} = endpoint;
		const {target, body} = exampleOf(endpoint, 'proc_0');
		for (const [status, token] of [
			[401, null],
			[403, await mint({scope: ''})],
		] as const) {
			const answer = await ask(method, target, {token, ...(body === undefined ? {} : {body})});

			t.is(answer.status, status, `${method} ${path}`);
			t.true(check(answerOf(operation, status)[1].schema)(answer.json), `${method} ${path}`);
		}
	}
});

test('a wrong request is refused as described, wherever there is something to be wrong', async t => {
	const daemon = await TestDaemon.open(t, makeStateDir(t));
	const document = documentOf(t);
	const check = createChecker(document);
	for (const {method, path, operation} of listEndpoints(document)) {
		const answers = [
			...(operation.requestBody === undefined ? [] : [await daemon.ask(method, path, {nonsense: 1})]),
			...(operation.parameters.some(parameter => parameter.in === 'query')
				? [await daemon.ask(method, `${path}?nonsense=1`)]
				: []),
			...(path.includes('{process_id}') ? [await daemon.ask(method, path)] : []),
		];
		for (const {status, json} of answers) {
			t.true(status === 400 || status === 404, `${method} ${path}: ${status}`);
			t.true(check(answerOf(operation, status)[1].schema)(json), `${method} ${path}`);
		}
	}
});

function explain({errors}: {errors?: unknown}): string {
	return JSON.stringify(errors);
}

test('what is wrong with a field is told in words of our own', async t => {
	const daemon = await TestDaemon.open(t, makeStateDir(t));
	const wrong: unknown[] = [5, -1.5, '', '\ud800', true, null, [], [5], {x: 5}];
	const requests = Object.entries(operations).flatMap(([name, {body, example}]) =>
		Object.keys(body?.entries ?? {}).flatMap(field =>
			wrong.map(value => ({name, body: {...example.body, [field]: value}})),
		),
	);
	const leaks: string[] = [];
	for (const {name, body} of requests) {
		const [method = '', path = ''] = name.split(' ');
		const {json} = await daemon.ask(method, path.replace('{process_id}', 'proc_1'), body);
		const {message = ''} = json as {message?: string};
		if (/Expected|received|Invalid|undefined/.test(message)) {
			leaks.push(`${name}: ${message}`);
		}
	}

	t.deepEqual(leaks, []);
});
