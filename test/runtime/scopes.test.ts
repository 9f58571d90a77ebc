/** What tokens may do, by real requests to a daemon with real commands. */
import {rmSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {readConfig} from '../../runtime/config.js';
import {startDaemon} from '../../runtime/daemon.js';
import {createLogger} from '../../runtime/log.js';
import {receiveEvents} from '../helpers/event-source.js';
import {ask, mint, secretKey, type TestAnswer} from '../helpers/http-server.js';
import {makeStateDir} from '../helpers/state-dir.js';

type Ask = (method: string, target: string, body?: object, headers?: Record<string, string>) => Promise<TestAnswer>;

/** Gives a way to ask as somebody. */
async function open(t: ExecutionContext, stateDir = makeStateDir(t)) {
	const daemon = await startDaemon({
		config: readConfig({port: '0'}, {}),
		stateDir,
		key: secretKey,
		logger: createLogger('silent', {write: () => undefined}),
	});
	const as = async (claims: object): Promise<Ask> => {
		const token = await mint({...claims});
		return (method, target, body, headers = {}) => ask(daemon.address.port, method, target, {body, token, headers});
	};
	let isOpen = true;
	const close = async () => {
		if (!isOpen) {
			return;
		}

		isOpen = false;
		const admin = await as({});
		const {json} = await admin('GET', '/execute/processes?status=running');
		for (const {process_id: id} of json['processes'] as {process_id: string}[]) {
			await admin('POST', `/execute/kill/${id}?grace_period=0`);
		}

		await daemon.close();
	};
	t.teardown(close);
	return {as, close, url: `http://127.0.0.1:${daemon.address.port}`};
}

const unknown = '/execute/processes/proc_0';

test('a scope opens what it names, and nothing else', async t => {
	const {as} = await open(t);
	const requests = {
		read: [
			['GET', '/execute/processes'],
			['GET', unknown],
			['GET', '/info'],
			['GET', '/metrics/snapshot'],
			['GET', '/metrics/prometheus'],
			['GET', '/events?after=nonsense'],
			['GET', `${unknown}/output`],
			['GET', `${unknown}/stream`],
			['GET', `${unknown}/wait`],
			['GET', `${unknown}/ready`],
		],
		start: [
			['POST', '/commands/background'],
			['POST', '/commands/run'],
			['POST', '/execute/background'],
			['POST', `${unknown}/stdin`],
			['DELETE', `${unknown}/stdin`],
		],
		kill: [
			['DELETE', '/execute/kill'],
			['POST', '/execute/kill/proc_0'],
			['POST', '/processes/proc_0/kill'],
			['POST', `${unknown}/signal`],
			['DELETE', unknown],
		],
		admin: [
			['GET', '/env'],
			['PUT', '/env'],
			['PATCH', '/env'],
			['DELETE', '/env'],
			['GET', '/processes'],
		],
	} as const;

	for (const scope of Object.keys(requests)) {
		const asHolder = await as({scope});
		for (const [needed, targets] of Object.entries(requests)) {
			for (const [method, target] of targets) {
				const {status, json} = await asHolder(method, target);
				t.is(status === 403, scope !== needed, `${scope}: ${method} ${target} is ${status}`);
				t.is(json?.['code'] === 'FORBIDDEN', scope !== needed);
			}
		}
	}
});

test('what is refused has not happened, also when the token was used before', async t => {
	const {as} = await open(t);
	const reader = await as({scope: 'read'});

	const refused = [];
	for (const command of ['true', 'false']) {
		refused.push((await reader('POST', '/commands/background', {command})).status);
	}

	t.deepEqual(refused, [403, 403]);
	t.is((await reader('GET', '/execute/processes')).json['count'], 0);
});

test('HEAD needs what GET needs, and OPTIONS tells only what there is', async t => {
	const {as} = await open(t);
	const asStarter = await as({scope: 'start'});

	t.is((await asStarter('HEAD', '/execute/processes')).status, 403);
	t.is((await asStarter('OPTIONS', '/execute/processes')).status, 204);
});

test('with own, what others started does not exist', async t => {
	const {as} = await open(t);
	const alice = await as({sub: 'alice', own: true});
	const bob = await as({sub: 'bob', own: true});
	const carol = await as({sub: 'carol'});
	const start = async (who: Ask) =>
		(await who('POST', '/commands/background', {command: 'sleep 600'})).json['process_id'] as string;
	const [ofAlice, ofBob, ofCarol] = [await start(alice), await start(bob), await start(carol)];

	const ids = async (who: Ask, query = '') => {
		const {json} = await who('GET', `/execute/processes${query}`);
		return (json['processes'] as {process_id: string}[]).map(({process_id: id}) => id);
	};

	t.deepEqual(await ids(alice), [ofAlice]);
	t.deepEqual(await ids(bob, '?status=running'), [ofBob]);
	t.deepEqual(await ids(bob, '?status=completed'), []);
	t.deepEqual(await ids(carol), [ofCarol, ofBob, ofAlice]);
	const unknown = await bob('GET', '/execute/processes/proc_0');
	for (const [method, target, body] of [
		['GET', `/execute/processes/${ofAlice}`],
		['POST', `/execute/processes/${ofAlice}/signal`, {signal: 'SIGKILL'}],
		['DELETE', '/execute/kill', {process_id: ofAlice}],
		['POST', `/execute/kill/${ofAlice}`],
		['POST', `/processes/${ofAlice}/kill`],
		['GET', `/execute/processes/${ofAlice}/output`],
		['GET', `/execute/processes/${ofAlice}/output?format=raw`],
		['GET', `/execute/processes/${ofAlice}/stream`],
		['GET', `/execute/processes/${ofAlice}/wait`],
		['GET', `/execute/processes/${ofAlice}/ready`],
		['POST', `/execute/processes/${ofAlice}/stdin`, {data: 'x'}],
		['DELETE', `/execute/processes/${ofAlice}/stdin`],
		['DELETE', `/execute/processes/${ofAlice}`],
	] as const) {
		const {status, json} = await bob(method, target, body);
		t.is(status, 404, `${method} ${target}`);
		t.is(json['message'], String(unknown.json['message']).replace('proc_0', ofAlice));
	}

	t.like((await carol('GET', `/execute/processes/${ofAlice}`)).json, {status: 'running', owner: 'alice'});
	t.is((await alice('POST', `/execute/kill/${ofAlice}`)).status, 200);
});

test('with own, events tell what became of its own, also of what it missed, and nothing of others', async t => {
	const {as, url} = await open(t);
	const alice = await as({sub: 'alice', own: true});
	const bob = await as({sub: 'bob', own: true});
	const run = async (who: Ask) => (await who('POST', '/commands/run', {command: 'true'})).json['process_id'] as string;
	const [ofAlice, ofBob, forgotten] = [await run(alice), await run(bob), await run(bob)];
	await bob('DELETE', `/execute/processes/${forgotten}`);

	const events = receiveEvents(t, `${url}/events?after=0`, await mint({sub: 'alice', own: true}));
	const missed = await take(events, 4);
	await run(bob);
	const later = await run(alice);
	const told = [...missed, ...(await take(events, 3))];

	t.deepEqual(
		told.map(({event, data}) => [event, (data['process'] as {process_id: string} | undefined)?.process_id]),
		[
			['gap', undefined],
			...['queued', 'started', 'ended'].map(type => [type, ofAlice]),
			...['queued', 'started', 'ended'].map(type => [type, later]),
		],
	);
	t.false([ofBob, forgotten, 'bob'].some(secret => JSON.stringify(told).includes(secret)));
});

async function take<T>(items: AsyncIterator<T>, count: number): Promise<T[]> {
	const taken: T[] = [];
	while (taken.length < count) {
		taken.push((await items.next()).value);
	}

	return taken;
}

test('pages of a list hold only what is its own', async t => {
	const {as} = await open(t);
	const alice = await as({sub: 'alice', own: true});
	const bob = await as({sub: 'bob', own: true});
	for (const who of [alice, bob, alice, bob, alice]) {
		await who('POST', '/commands/run', {command: 'true'});
	}

	const {json: first} = await alice('GET', '/execute/processes?limit=2');
	const {json: second} = await alice('GET', `/execute/processes?limit=2&cursor=${first['next_cursor']}`);

	t.deepEqual([first['count'], second['count'], second['next_cursor']], [2, 1, undefined]);
	const owners = [first, second].flatMap(({processes}) => processes as {owner: string}[]).map(({owner}) => owner);
	t.deepEqual(owners, ['alice', 'alice', 'alice']);
});

test('two who use the same key do not meet', async t => {
	const {as} = await open(t);
	const start = async (who: Ask, command: string) =>
		who('POST', '/commands/background', {command}, {'idempotency-key': 'deploy'});
	const alice = await as({sub: 'alice', own: true});
	const bob = await as({sub: 'bob', own: true});

	const first = await start(alice, 'true');
	const other = await start(bob, 'true');
	const again = await start(alice, 'true');
	const conflict = await start(alice, 'false');

	t.is(other.status, 200);
	t.not(first.json['process_id'], other.json['process_id']);
	t.is(first.json['process_id'], again.json['process_id']);
	t.is(conflict.status, 409);
	t.regex(String(conflict.json['message']), /deploy/);
});

test('whose a process is survives a restart, and the loss of the list', async t => {
	const stateDir = makeStateDir(t);
	const first = await open(t, stateDir);
	const alice = await first.as({sub: 'alice', own: true});
	const {json} = await alice('POST', '/commands/run', {command: 'true'});
	await first.close();
	rmSync(join(stateDir, 'nohupd.db'));

	const second = await open(t, stateDir);

	const target = `/execute/processes/${json['process_id']}`;
	t.is((await (await second.as({sub: 'bob', own: true}))('GET', target)).status, 404);
	t.is((await (await second.as({sub: 'alice', own: true}))('GET', target)).json['owner'], 'alice');
});

test('a token with a claim that cannot be read opens nothing', async t => {
	const {as} = await open(t);

	for (const claims of [{scope: ['read']}, {own: 'yes', sub: 'me'}, {own: true}]) {
		t.is((await (await as(claims))('GET', '/execute/processes')).json['code'], 'INVALID_TOKEN');
	}
});
