import test from 'ava';
import {hasStarted, isLive} from '../../lib/process.js';
import {anEndedProcess, aQueuedProcess, aRunningProcess, aStoppingProcess} from '../helpers/a-process.js';

test('a process has started when its start is known, whether or not it has ended', t => {
	const processes = [
		aQueuedProcess(),
		aRunningProcess(),
		aStoppingProcess(),
		anEndedProcess(),
		anEndedProcess({start: null}),
	];

	t.deepEqual(processes.map(hasStarted), [false, true, true, true, false]);
});

test('a process is live from its start to its end', t => {
	const processes = [aQueuedProcess(), aRunningProcess(), aStoppingProcess(), anEndedProcess()];

	t.deepEqual(processes.map(isLive), [false, true, true, false]);
});
