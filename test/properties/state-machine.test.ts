import test from 'ava';
import fc from 'fast-check';
import {hasStatus, isLive, type ProcessRecord} from '../../lib/process.js';
import {publicStatus, toProcess} from '../../lib/process-view.js';
import {type ObservedEnd, recordEnd, recordStart, recordStop, recordStopBeforeStart} from '../../lib/transitions.js';
import {aQueuedProcess, aStart, aStop} from '../helpers/a-process.js';

type Step = (process: ProcessRecord) => ProcessRecord;

const exit: fc.Arbitrary<ObservedEnd> = fc.record({
	exitCode: fc.option(fc.integer({min: 0, max: 255})),
	endedAt: fc.nat(),
	durationMs: fc.option(fc.nat()),
});

/** Everything that can happen to a process, as those who may do it do it. */
const step: fc.Arbitrary<Step> = fc.oneof(
	fc.constant<Step>(process => (hasStatus(process, 'queued') ? recordStart(process, aStart) : process)),
	fc
		.constantFrom('request' as const, 'timeout' as const)
		.map<Step>(why => process => (isLive(process) ? recordStop(process, {...aStop, why}) : process)),
	fc.constant<Step>(process => (hasStatus(process, 'queued') ? recordStopBeforeStart(process, 'request', 5) : process)),
	exit.map<Step>(end => process => recordEnd(process, end)),
);

const history = fc.array(step, {maxLength: 12}).map(steps => {
	const states: ProcessRecord[] = [aQueuedProcess()];
	for (const next of steps) {
		states.push(next(states.at(-1) ?? aQueuedProcess()));
	}

	return states;
});

const order = ['queued', 'running', 'stopping', 'ended'];

test('whatever happens, a state is never taken back', t => {
	fc.assert(
		fc.property(history, states => {
			const ranks = states.map(({state}) => order.indexOf(state.status));

			t.deepEqual(ranks, ranks.toSorted());
		}),
	);
});

test('whatever happens, an end is never changed', t => {
	fc.assert(
		fc.property(history, states => {
			const ends = new Set(
				states.filter(({state}) => state.status === 'ended').map(({state}) => JSON.stringify(state)),
			);

			t.true(ends.size <= 1);
		}),
	);
});

test('whatever happens, the first order to end a process is the reason for its end', t => {
	fc.assert(
		fc.property(history, states => {
			const stopping = states.find(process => hasStatus(process, 'stopping'));
			const ended = states.find(process => hasStatus(process, 'ended'));
			if (stopping !== undefined && ended !== undefined) {
				t.is(ended.state.end.why, stopping.state.stop.why);
			}
		}),
	);
});

test('whatever happens, the outside never sees an exit code of what has not ended, nor success without exit code 0', t => {
	fc.assert(
		fc.property(history, states => {
			for (const {exitCode, status, reason, endedAt, processId} of states.map(toProcess)) {
				t.true(endedAt !== null || (exitCode === null && reason === null), processId);
				t.true(status !== 'completed' || exitCode === 0, processId);
				t.true(reason !== 'signaled' || (exitCode ?? 0) > 128, processId);
			}
		}),
	);
});

test('whatever happens, the documented status follows from the state alone', t => {
	fc.assert(
		fc.property(history, states => {
			for (const process of states) {
				t.is(toProcess(process).status, publicStatus(process.state));
			}
		}),
	);
});
