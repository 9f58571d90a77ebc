import test from 'ava';
import {withPlaces} from '../torture/places.js';
import {type Sample, toTable} from './sample.js';
import {soak} from './soak.js';

test('the soak run works, and nothing but the list grows with the number of commands', async t => {
	const samples: Sample[] = [];

	await withPlaces(({directory}) => soak({directory, commands: 200}, sample => samples.push(sample)));

	t.log(toTable(samples));
	const last = samples.at(-1);
	t.like(last, {commands: 200, runDirectories: 200});
	// Two clients more or less; a leak would be one for each command.
	t.true(Number(last?.descriptors) < 100);
	t.true(Number(last?.threads) < 50);
});
