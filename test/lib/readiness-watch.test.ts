import test from 'ava';
import {hasStatus, type ProcessRecord, type RunningProcess} from '../../lib/process.js';
import {recordStop} from '../../lib/transitions.js';
import {aRunningProcess, aStart, aStop} from '../helpers/a-process.js';
import {Parts} from '../helpers/parts.js';

const ready = {port: 3000, timeoutMs: 60_000};
/** A clock of the tests begins at this moment. */
const start = {...aStart, identity: {...aStart.identity, startTicks: 100_000}};

/** One that runs since now, and is watched. */
function begin(): Parts & {process: RunningProcess} {
	const parts = new Parts();
	const process = parts.put(aRunningProcess({start, command: {ready}}));
	parts.readiness.begin(process);
	return Object.assign(parts, {process});
}

const factOf = ({state}: ProcessRecord) => (state.status === 'queued' ? undefined : state.ready);

test('a process that is seen to be ready is stored so, and told once', t => {
	const parts = begin();

	parts.probe.find('proc_1');
	parts.probe.find('proc_1');

	t.deepEqual(factOf(parts.find('proc_1')), {status: 'ready', at: parts.clock.now()});
	t.deepEqual(parts.announced, ['ready']);
	t.is(parts.probe.watched.size, 0);
});

test('a process is watched once, and only if it asked for it and nothing was found yet', t => {
	const parts = begin();
	const found = {status: 'ready', at: 1} as const;
	parts.probe.watched.clear();

	parts.readiness.begin(parts.process);
	parts.readiness.begin(aRunningProcess({processId: 'proc_2'}));
	const {state, ...rest} = aRunningProcess({processId: 'proc_3', command: {ready}});
	parts.readiness.begin({...rest, state: {...state, ready: found}});

	t.is(parts.probe.watched.size, 0);
});

test('its time counts from the start of the command, whoever watches', async t => {
	const parts = begin();
	parts.readiness.close();
	const next = new Parts();
	await next.clock.advance(50_000);
	next.put(parts.process);
	next.readiness.begin(parts.process);

	await next.clock.advance(9999);
	const before = factOf(next.find('proc_1'));
	await next.clock.advance(1);

	t.is(before, undefined);
	t.like(factOf(next.find('proc_1')), {status: 'timed_out'});
	t.true(hasStatus(next.find('proc_1'), 'running'));
	t.deepEqual(next.announced, []);
	t.is(next.probe.watched.size, 0);
});

test('one that is being ended is no longer watched, and never ready', t => {
	const parts = begin();

	parts.ledger.record(recordStop(parts.process, aStop));
	parts.probe.find('proc_1');

	t.is(parts.probe.watched.size, 0);
	t.deepEqual(parts.announced, ['stopping']);
});

test('what could not be stored is tried again', async t => {
	const parts = begin();
	const apply = parts.store.apply.bind(parts.store);
	parts.store.apply = () => {
		throw new Error('The disk is full');
	};

	parts.probe.find('proc_1');
	parts.store.apply = apply;
	await parts.clock.advance(1000);

	t.deepEqual(parts.announced, ['ready']);
	t.deepEqual(
		parts.logger.entries.map(({level}) => level),
		['error'],
	);
});
