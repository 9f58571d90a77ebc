import test from 'ava';
import {EventBus} from '../../lib/event-bus.js';
import type {AnyProcessEvent} from '../../lib/events.js';
import {toProcess} from '../../lib/process-view.js';
import {aRunningProcess} from '../helpers/a-process.js';
import {settled} from '../helpers/fake-clock.js';
import {RecordingLogger} from '../helpers/recording-logger.js';

function open() {
	const logger = new RecordingLogger();
	return {logger, bus: new EventBus(logger), told: [] as string[]};
}

function anEvent(type: 'queued' | 'started' | 'ended', processId = 'proc_1'): AnyProcessEvent {
	return {type, sequence: 1, at: 0, process: toProcess(aRunningProcess({processId}))};
}

test('a listener is told of events of its type, with all that they tell', t => {
	const {bus} = open();
	const events: object[] = [];
	bus.on('started', event => events.push(event));

	bus.announce(anEvent('queued'));
	bus.announce(anEvent('started'));

	t.deepEqual(events, [anEvent('started')]);
});

test('listeners are told in the order they came in', t => {
	const {bus, told} = open();
	bus.on('ended', () => told.push('first'));
	bus.on('ended', () => told.push('second'));

	bus.announce(anEvent('ended'));

	t.deepEqual(told, ['first', 'second']);
});

test('a listener that was taken off is told no more', t => {
	const {bus, told} = open();
	const listener = () => told.push('told');
	bus.on('ended', listener);
	bus.announce(anEvent('ended'));

	bus.off('ended', listener);
	bus.announce(anEvent('ended'));

	t.deepEqual(told, ['told']);
});

test('a listener that throws is logged and harms nobody', t => {
	const {bus, logger, told} = open();
	const error = new Error('mine');
	bus.on('ended', () => {
		throw error;
	});
	bus.on('ended', () => told.push('the next one'));

	t.notThrows(() => bus.announce(anEvent('ended', 'proc_7')));

	t.deepEqual(told, ['the next one']);
	t.like(logger.entries, [{level: 'error', facts: {error, type: 'ended', processId: 'proc_7'}}]);
});

test('an asynchronous listener that rejects is logged and harms nobody', async t => {
	const {bus, logger} = open();
	const error = new Error('mine');
	// An async function is a listener too, as far as TypeScript can tell.
	bus.on('ended', (async () => {
		throw error;
	}) as () => void);

	bus.announce(anEvent('ended'));
	await settled();

	t.like(logger.entries, [{level: 'error', facts: {error}}]);
});

test('whoever follows a process is told of its events only, until it has had enough', t => {
	const {bus, told} = open();
	const unfollow = bus.follow('proc_1', ({processId}) => told.push(processId));

	bus.announce(anEvent('started', 'proc_1'));
	bus.announce(anEvent('started', 'proc_2'));
	unfollow();
	bus.announce(anEvent('ended', 'proc_1'));

	t.deepEqual(told, ['proc_1']);
});

test('one who leaves while being told does not take the others along', t => {
	const {bus, told} = open();
	const unfollow = bus.follow('proc_1', () => {
		told.push('first');
		unfollow();
	});
	bus.follow('proc_1', () => told.push('second'));

	bus.announce(anEvent('started'));
	bus.announce(anEvent('ended'));

	t.deepEqual(told, ['first', 'second', 'second']);
});

test('whoever watches is called after each event of any process, until it has had enough', t => {
	const {bus, told} = open();
	const unwatch = bus.watch(({type, process}) => told.push(`${type} ${process.processId}`));

	bus.announce(anEvent('queued', 'proc_1'));
	bus.announce(anEvent('ended', 'proc_2'));
	unwatch();
	bus.announce(anEvent('ended', 'proc_1'));

	t.deepEqual(told, ['queued proc_1', 'ended proc_2']);
});

test('after it was cleared nobody is told', t => {
	const {bus, told} = open();
	bus.on('ended', () => told.push('listener'));
	bus.follow('proc_1', () => told.push('follower'));
	bus.watch(() => told.push('watcher'));

	bus.clear();
	bus.announce(anEvent('ended'));

	t.deepEqual(told, []);
});
