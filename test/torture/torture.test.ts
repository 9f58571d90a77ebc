import {randomBytes} from 'node:crypto';
import test from 'ava';
import {withPlaces} from './places.js';
import {report} from './report.js';
import {torture} from './torture.js';

// `npm run torture` goes on for as long as you like, and runs a seed again that has found something.
const seconds = 60;

test('under fire for a short time every promise is kept', async t => {
	t.timeout(240_000);
	const seed = process.env['NOHUPD_TEST_SEED'] ?? randomBytes(4).toString('hex');

	const outcome = await withPlaces(places => torture({...places, seed, seconds, clients: 4}), seconds);

	t.log(`seed ${seed}\n${report(outcome)}`);
	t.deepEqual(outcome.findings, []);
});
