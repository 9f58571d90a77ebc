import test from 'ava';
import {ProcessNotFoundError, type Supervisor} from '../../lib/index.js';
import {readCaller, stranger} from '../../runtime/caller.js';
import {supervisorFor} from '../../runtime/caller-supervisor.js';
import {aProcess} from '../helpers/http-server.js';

const piece = {
	stream: 'stdout',
	offset: 0,
	baseOffset: 0,
	nextOffset: 1,
	totalBytes: 1,
	bytes: Buffer.from('x'),
	gap: null,
	isEnd: false,
} as const;

/** Knows one process of Alice, and notes what it is asked. */
function aSupervisor() {
	const calls: unknown[][] = [];
	const process = {...aProcess({owner: 'alice'}), usage: null};
	const answer =
		(name: string) =>
		async (...given: unknown[]) => {
			calls.push([name, ...given]);
			return process;
		};
	const supervisor = {
		start: answer('start'),
		startBody: answer('startBody'),
		get: async () => process,
		list: async (options: unknown) => {
			calls.push(['list', options]);
			return {processes: [], nextCursor: null};
		},
		kill: answer('kill'),
		signal: answer('signal'),
		wait: answer('wait'),
		ready: answer('ready'),
		forget: answer('forget'),
		write: async (...given: unknown[]) => {
			calls.push(['write', ...given]);
		},
		closeInput: async (...given: unknown[]) => {
			calls.push(['closeInput', ...given]);
		},
		output: () => ({
			read: async (...given: unknown[]) => {
				calls.push(['read', ...given]);
				return piece;
			},
			async *follow(...given: unknown[]) {
				calls.push(['follow', ...given]);
				yield piece;
			},
		}),
		async *events(options: unknown) {
			calls.push(['events', options]);
			yield* [];
			return undefined;
		},
		state: () => ({running: 1, queued: 0, isClosing: false, hasRoom: true, containment: 'session'}),
	} satisfies Partial<Supervisor>;
	// What a test does not write is not called.
	return {supervisor: supervisor as Partial<Supervisor> as Supervisor, calls};
}

const alice = readCaller({sub: 'alice', own: true});
const bob = readCaller({sub: 'bob', own: true});

test('a caller without a name and limits gets the supervisor as it is', t => {
	const {supervisor} = aSupervisor();

	t.is(supervisorFor(readCaller({}), supervisor), supervisor);
});

test('what a caller with a name starts is its own, whatever the options say', async t => {
	const {supervisor, calls} = aSupervisor();
	const view = supervisorFor(readCaller({sub: 'carol'}), supervisor);

	await view.start({command: 'true'}, {owner: 'alice'});
	await view.startBody({command: 'true'}, {idempotencyKey: 'k'});
	await view.kill('proc_1');

	t.deepEqual(calls, [
		['start', {command: 'true'}, {owner: 'carol'}],
		['startBody', {command: 'true'}, {idempotencyKey: 'k', owner: 'carol'}],
		['kill', 'proc_1', undefined],
	]);
});

test('one that is limited to its own does with that what everybody may', async t => {
	const {supervisor, calls} = aSupervisor();
	const view = supervisorFor(alice, supervisor);

	t.is((await view.get('proc_1')).owner, 'alice');
	await view.list({limit: 1});
	await view.kill('proc_1', {gracePeriodMs: 0});
	await view.signal('proc_1', 'SIGHUP');
	await view.wait('proc_1', {});
	await view.ready('proc_1', {});
	await view.write('proc_1', 'x', {close: true});
	await view.closeInput('proc_1');
	await view.output('proc_1').read({offset: 1});
	await view
		.output('proc_1')
		.follow({from: {stdout: 1}})
		.next();
	await view.forget('proc_1');
	await view.events({after: 0}).next();

	t.deepEqual(calls, [
		['list', {limit: 1, owner: 'alice'}],
		['kill', 'proc_1', {gracePeriodMs: 0}],
		['signal', 'proc_1', 'SIGHUP'],
		['wait', 'proc_1', {}],
		['ready', 'proc_1', {}],
		['write', 'proc_1', 'x', {close: true}],
		['closeInput', 'proc_1'],
		['read', {offset: 1}],
		['follow', {from: {stdout: 1}}],
		['forget', 'proc_1'],
		['events', {after: 0, owner: 'alice'}],
	]);
	t.is(view.state().running, 1);
});

for (const [who, caller] of [
	['another', bob],
	['a stranger', stranger],
] as const) {
	test(`for ${who} there is no such process`, async t => {
		const {supervisor, calls} = aSupervisor();
		const view = supervisorFor(caller, supervisor);

		for (const ask of [
			() => view.get('proc_1'),
			() => view.kill('proc_1'),
			() => view.signal('proc_1', 'SIGHUP'),
			() => view.wait('proc_1'),
			() => view.ready('proc_1'),
			() => view.write('proc_1', 'x'),
			() => view.closeInput('proc_1'),
			() => view.output('proc_1').read(),
			() => view.output('proc_1').follow().next(),
			() => view.forget('proc_1'),
		]) {
			await t.throwsAsync(ask, {instanceOf: ProcessNotFoundError, message: 'No process with id proc_1'});
		}

		await view.list({owner: 'alice'});
		await view.events({owner: 'alice'}).next();
		t.deepEqual(calls, [
			['list', {owner: caller.subject ?? ''}],
			['events', {owner: caller.subject ?? ''}],
		]);
	});
}
