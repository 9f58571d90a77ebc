import test from 'ava';
import type {OutputLog} from '../../lib/index.js';
import type {ProcessRecord} from '../../lib/process.js';
import {Views} from '../../lib/views.js';
import {anEndedProcess, aRunningProcess} from '../helpers/a-process.js';
import {FakeClock} from '../helpers/fake-clock.js';

/** Output that grows when a test says so, and counts how often it was looked at. */
class GrowingOutput implements Pick<OutputLog, 'tail'> {
	written = 0;
	dropped = 0;
	looks = 0;

	tail(_: string, maxBytes: number) {
		this.looks++;
		const stdout = {
			text: 'x'.repeat(Math.min(maxBytes, this.written)),
			totalBytes: this.written,
			baseOffset: this.dropped,
		};
		return {stdout, stderr: {text: '', totalBytes: 0, baseOffset: 0}};
	}
}

function open() {
	const output = new GrowingOutput();
	const clock = new FakeClock();
	const views = new Views(output, clock);
	return {output, clock, bytesOf: (process: ProcessRecord) => views.show(process, 0).stdoutBytes, views};
}

test('an ended process that nothing is left of is looked at now and then', async t => {
	const {output, clock, bytesOf} = open();
	const process = anEndedProcess();

	t.is(bytesOf(process), 0);
	output.written = 5;
	t.is(bytesOf(process), 0);
	t.is(output.looks, 1);

	await clock.advance(200);
	t.is(bytesOf(process), 5);
});

test('as long as nothing has changed, the view of an ended process is the same object, which nobody can change', async t => {
	const {clock, output, views} = open();
	const process = anEndedProcess();
	const view = views.show(process, 0);

	await clock.advance(1000);
	t.is(views.show(process, 0), view);
	t.true(Object.isFrozen(view));

	output.written = 1;
	output.dropped = 1;
	await clock.advance(1000);
	t.not(views.show(process, 0), view);
	t.like(views.show(process, 0), {stdoutBytes: 1, stdoutDropped: 1});
});

test('what is known to be written to is looked at each time', t => {
	for (const process of [aRunningProcess(), anEndedProcess({leftover: 1})]) {
		const {output, bytesOf} = open();

		t.is(bytesOf(process), 0);
		output.written = 5;
		t.is(bytesOf(process), 5);
	}
});

test('a record that has changed is shown as it is now', t => {
	const {views} = open();
	const process = anEndedProcess();

	t.is(views.show(process, 0).leftover, 0);
	t.is(views.show({...process, state: {...process.state, leftover: 2}}, 0).leftover, 2);
	t.is(views.show({...process, state: {...process.state, endedAt: 5}}, 0).endedAt, 5);
});

test('text is read each time', t => {
	const {output, views} = open();
	const process = anEndedProcess();
	views.show(process, 0);
	output.written = 3;

	t.is(views.show(process, 8).stdout, 'xxx');
});
