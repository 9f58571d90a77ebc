import test from 'ava';
import {NotReadyError, ProcessNotFoundError, WaitAbortedError, type WaitOptions} from '../../lib/index.js';
import {aProcess, openServer} from '../helpers/http-server.js';

const path = '/execute/processes/proc_1/ready';

test('answers with the process when it is ready', async t => {
	const {ask} = await openServer(t, {
		ready: async () => aProcess(),
		get: async () => ({...aProcess({readyAt: 1500}), usage: null}),
	});

	const {status, json} = await ask('GET', path);

	t.is(status, 200);
	t.like(json, {process_id: 'proc_1', ready_at: '1970-01-01T00:00:01.500Z'});
});

test('answers with the process as it is when the client will wait no longer', async t => {
	const {ask} = await openServer(t, {
		ready: async (processId, {signal}: WaitOptions = {}) => {
			await new Promise(resolve => signal?.addEventListener('abort', resolve));
			throw new WaitAbortedError(processId);
		},
		get: async () => ({...aProcess(), usage: null}),
	});

	const {status, json} = await ask('GET', `${path}?timeout=0.05`);

	t.is(status, 200);
	t.like(json, {process_id: 'proc_1', status: 'running', ready_at: null});
});

const answersAnyway = test.macro(async (t, why: 'ended' | 'timed_out') => {
	const {ask} = await openServer(t, {
		ready: async processId => Promise.reject(new NotReadyError(processId, why)),
		get: async () => ({...aProcess(), usage: null}),
	});

	const {status, json} = await ask('GET', path);

	t.is(status, 200);
	t.like(json, {process_id: 'proc_1', ready_at: null});
});

test('answers when it ends first', answersAnyway, 'ended');
test('answers when its time is over', answersAnyway, 'timed_out');

test('one that nobody watches is a conflict, and one that nobody knows is not found', async t => {
	const errors = [new NotReadyError('proc_1', 'undeclared'), new ProcessNotFoundError('proc_1')];
	const {ask} = await openServer(t, {ready: async () => Promise.reject(errors.shift())});

	const undeclared = await ask('GET', path);
	const unknown = await ask('GET', path);
	const late = await ask('GET', `${path}?timeout=301`);

	t.deepEqual([undeclared.status, unknown.status, late.status], [409, 404, 400]);
});
