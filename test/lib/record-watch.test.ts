import test from 'ava';
import {RecordWatch} from '../../lib/record-watch.js';
import {aQueuedProcess, aRunningProcess} from '../helpers/a-process.js';
import {eventually} from '../helpers/eventually.js';
import {settled} from '../helpers/fake-clock.js';
import {Parts} from '../helpers/parts.js';

function open(t: {teardown: (work: () => void) => void}, {canWatch = true} = {}) {
	const parts = new Parts();
	parts.launcher.canWatch = canWatch;
	const watch = new RecordWatch(parts.launcher, parts.logger, parts.reaper, parts.recovery);
	t.teardown(() => watch.close());
	watch.open();
	return {parts, watch};
}

test('a record that has changed is looked at, once for many notices', async t => {
	const {parts} = open(t);
	parts.put(aQueuedProcess());
	parts.launcher.writeStart('proc_1');

	parts.launcher.onChange('proc_1');
	parts.launcher.onChange('proc_1');
	await settled();

	t.deepEqual(parts.announced, ['started']);
});

test('a record that cannot be settled does not hold up the others, and its turn comes again', async t => {
	const {parts} = open(t);
	parts.put(aRunningProcess({processId: 'proc_bad'}));
	parts.put(aRunningProcess({processId: 'proc_good'}));
	parts.launcher.writeEnd('proc_bad');
	parts.launcher.writeEnd('proc_good');
	const {read} = parts.launcher;
	parts.launcher.read = processId => {
		if (processId === 'proc_bad') {
			throw new Error('mine');
		}

		return read.call(parts.launcher, processId);
	};

	parts.launcher.onChange('proc_bad');
	parts.launcher.onChange('proc_good');
	await settled();
	t.is(parts.find('proc_good').state.status, 'ended');
	t.like(parts.logger.entries, [{level: 'error', facts: {processId: 'proc_bad'}}]);

	parts.launcher.read = read;
	parts.launcher.onChange('proc_bad');
	await settled();
	t.is(parts.find('proc_bad').state.status, 'ended');
});

test('where no notices come, records are looked at all the same', async t => {
	const {parts} = open(t, {canWatch: false});
	parts.put(aRunningProcess());
	parts.launcher.writeEnd('proc_1');

	await eventually(() => parts.find('proc_1').state.status === 'ended');

	t.deepEqual(parts.announced, ['ended']);
});

test('after the close no record is looked at', async t => {
	const {parts, watch} = open(t);
	parts.put(aQueuedProcess());
	parts.launcher.writeStart('proc_1');

	parts.launcher.onChange('proc_1');
	watch.close();
	await settled();

	t.deepEqual(parts.announced, []);
});
