import test from 'ava';
import {recordEnd, recordStart} from '../../lib/transitions.js';
import {anEndedProcess, aRunningProcess, aStart} from '../helpers/a-process.js';
import {Parts} from '../helpers/parts.js';

const exit = {exitCode: 0, endedAt: 5000, durationMs: 1000};

test('what listeners are told of is in the store already', t => {
	const parts = new Parts();
	const stored: string[] = [];
	parts.bus.on('queued', ({process}) => stored.push(parts.find(process.processId).state.status));
	parts.bus.on('started', ({process}) => stored.push(parts.find(process.processId).state.status));

	const process = parts.accept();
	parts.ledger.record(recordStart(process, aStart));

	t.deepEqual(stored, ['queued', 'running']);
});

test('several changes are stored together, and announced in their order, each as it was then', t => {
	const parts = new Parts();
	const queued = parts.accept();
	const running = recordStart(queued, aStart);

	parts.ledger.record(running, recordEnd(running, exit));

	t.deepEqual(
		parts.events.map(({type, sequence, process}) => [type, sequence, process.status]),
		[
			['queued', 1, 'queued'],
			['started', 2, 'running'],
			['ended', 3, 'completed'],
		],
	);
});

test('what could not be stored is not announced, and changes nothing', t => {
	const parts = new Parts({maxRunning: 1});
	const running = parts.put(aRunningProcess());
	parts.admission.occupy(running.processId);
	parts.store.close();

	t.throws(() => parts.ledger.record(recordEnd(running, exit)));

	t.deepEqual(parts.announced, []);
	t.is(parts.admission.running, 1);
});

test('the timeout begins with the start, and ends with the end', async t => {
	const parts = new Parts();
	const overdue: string[] = [];
	parts.deadlines.open(processId => overdue.push(processId));
	const long = parts.accept({processId: 'proc_long', command: {timeoutMs: 10_000_000}});
	const short = parts.accept({processId: 'proc_short', command: {timeoutMs: 10_000_000}});

	const started = recordStart(short, aStart);
	parts.ledger.record(recordStart(long, aStart), started);
	parts.ledger.record(recordEnd(started, exit));
	await parts.clock.advance(20_000_000);

	t.deepEqual(overdue, ['proc_long']);
});

test('a process is forgotten once, with its deadline, and that is told', async t => {
	const parts = new Parts();
	const overdue: string[] = [];
	parts.deadlines.open(processId => overdue.push(processId));
	const ended = parts.put(anEndedProcess({leftover: 1}));
	parts.deadlines.hold(ended);

	parts.ledger.forget(ended);
	parts.ledger.forget(ended);
	await parts.clock.advance(10_000_000);

	t.is(parts.store.find(ended.processId), null);
	t.deepEqual(parts.announced, ['forgotten']);
	t.deepEqual(overdue, []);
});

test('an end makes room for the next', t => {
	const parts = new Parts({maxRunning: 1});
	const first = parts.accept({processId: 'proc_first'});
	parts.accept({processId: 'proc_next'});
	parts.admission.enter('proc_first');
	parts.admission.enter('proc_next');

	parts.ledger.record(recordEnd(first, {...exit, exitCode: null, why: 'start_failed'}));

	t.deepEqual(parts.launcher.launched, ['proc_first', 'proc_next']);
});
