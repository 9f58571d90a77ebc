import test from 'ava';
import {
	CommandInvalidError,
	IdempotencyConflictError,
	ProcessEndedError,
	ProcessNotFoundError,
	QueryInvalidError,
	QueueFullError,
	SettingsInvalidError,
	ShuttingDownError,
	StorageFullError,
} from '../../lib/index.js';
import {Problem, toProblem} from '../../runtime/problem.js';

const becomes = test.macro((t, error: Error, status: number, code: string, field?: string) => {
	const problem = toProblem(error);

	t.deepEqual([problem.status, problem.code, problem.field], [status, code, field]);
	t.is(problem.message, error.message);
	// The official JavaScript client takes these words for a missing file.
	t.notRegex(problem.message, /not found/i);
});

test('a wrong command: 400', becomes, new CommandInvalidError('env.A', 'is bad'), 400, 'INVALID_REQUEST', 'env.A');
test('a wrong whole: 400 without a field', becomes, new CommandInvalidError('', 'is bad'), 400, 'INVALID_REQUEST');
test('a wrong query: 400', becomes, new QueryInvalidError('cursor', 'is bad'), 400, 'INVALID_REQUEST', 'cursor');
test('an unknown process: 404', becomes, new ProcessNotFoundError('proc_1'), 404, 'RESOURCE_NOT_FOUND');
test(
	'a kill of what has ended by itself: 404',
	becomes,
	new ProcessEndedError('proc_1', 'exited'),
	404,
	'RESOURCE_NOT_FOUND',
);
test('a key used twice: 409', becomes, new IdempotencyConflictError('key', 'proc_1'), 409, 'CONFLICT');
test('a full queue: 429', becomes, new QueueFullError(1, 1), 429, 'QUEUE_FULL');
test('a full disk: 507', becomes, new StorageFullError('/state'), 507, 'INSUFFICIENT_STORAGE');
test('an end in sight: 503', becomes, new ShuttingDownError(), 503, 'SERVICE_UNAVAILABLE');

const hides = test.macro((t, error: unknown) => {
	const problem = toProblem(error);

	t.is(problem.status, 500);
	t.is(problem.message, 'Something went wrong inside nohupd; its log has the details under this request id');
	t.is(problem.cause, error);
});

test('hides what nobody expected', hides, new TypeError('secret is undefined'));
test('hides what is no error', hides, 'secret');
test('hides what only a start can meet', hides, new SettingsInvalidError('port', 'is secret'));

test('the envelope says the same to both official clients', t => {
	const problem = new Problem('INVALID_REQUEST', 'timeout is bad', {field: 'timeout'});

	t.deepEqual(problem.envelope('req_1'), {
		error: 'timeout is bad',
		message: 'timeout is bad',
		code: 'INVALID_REQUEST',
		request_id: 'req_1',
		field: 'timeout',
	});
});

test('who finds the queue full is told when to come again', t => {
	t.is(toProblem(new QueueFullError(1, 1)).headers['retry-after'], '1');
});
