import test from 'ava';
import fc from 'fast-check';
import type {PublicStatus} from '../../lib/index.js';
import {publicStatus} from '../../lib/process-view.js';
import {Queries} from '../../lib/queries.js';
import {anEndedProcess, aQueuedProcess, aRunningProcess} from '../helpers/a-process.js';
import {FakeClock} from '../helpers/fake-clock.js';
import {FakeConfinement} from '../helpers/fake-confinement.js';
import {openMemoryStore} from '../helpers/memory-store.js';

const kinds = [aQueuedProcess, aRunningProcess, anEndedProcess];

test('whatever the size of a page, each process is seen once, newest first, also while others come', async t => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.constantFrom(...kinds), {maxLength: 40}),
			fc.integer({min: 1, max: 15}),
			fc.option(fc.constantFrom<PublicStatus>('queued', 'running', 'completed'), {nil: undefined}),
			async (made, limit, status) => {
				const store = openMemoryStore();
				const output = {tail: () => ({stdout: nothing, stderr: nothing})};
				const queries = new Queries(store, new FakeConfinement(), output, new FakeClock(), {
					current: process => process,
				});
				const put = (number: number, make: (typeof kinds)[number] = aQueuedProcess) => {
					const {sequence, ...process} = make({processId: `proc_${number}`});
					store.adopt(process);
					return {processId: process.processId, status: publicStatus(process.state)};
				};
				const wanted = made
					.map((make, index) => put(index, make))
					.filter(one => status === undefined || one.status === status);

				const seen: string[] = [];
				for (let cursor: string | undefined, late = 1000; ; late++) {
					const page = await queries.list({limit, status, cursor});
					seen.push(...page.processes.map(({processId}) => processId));
					// Newer than all that are listed: it must not move them.
					put(late);
					if (page.nextCursor === null) {
						break;
					}

					cursor = page.nextCursor;
				}

				t.deepEqual(seen, wanted.map(({processId}) => processId).reverse());
				store.close();
			},
		),
	);
});

const nothing = {text: '', totalBytes: 0, baseOffset: 0};
