import test from 'ava';
import fc from 'fast-check';
import {Admission} from '../../lib/admission.js';
import {FakeLauncher} from '../helpers/fake-launcher.js';
import {someSettings} from '../helpers/parts.js';

/** The next one comes, or the n-th of those that came leaves: because it has ended, or was killed while it waited. */
const event = fc.oneof(
	fc.constant({type: 'enter'} as const),
	fc.nat().map(n => ({type: 'leave', n}) as const),
);

test('whoever comes and goes, as many run as may, and who waits is launched in the order of coming', t => {
	fc.assert(
		fc.property(fc.integer({min: 1, max: 4}), fc.array(event, {maxLength: 100}), (maxRunning, events) => {
			const launcher = new FakeLauncher();
			const admission = new Admission(launcher, {...someSettings, maxRunning});
			const present: string[] = [];
			let count = 0;
			for (const step of events) {
				if (step.type === 'enter') {
					// Names that sort as they came.
					const processId = String(++count).padStart(4, '0');
					present.push(processId);
					admission.enter(processId);
				} else if (present.length > 0) {
					admission.leave(present.splice(step.n % present.length, 1)[0] ?? '');
				}

				t.is(admission.running, Math.min(maxRunning, present.length));
				t.is(admission.queued, present.length - admission.running);
			}

			t.deepEqual(launcher.launched, launcher.launched.toSorted());
			t.is(new Set(launcher.launched).size, launcher.launched.length);
		}),
	);
});
