/** `npm run soak -- --commands 20000` */
import {parseArgs} from 'node:util';
import {withPlaces} from '../torture/places.js';
import {type Sample, toTable} from './sample.js';
import {soak} from './soak.js';

const {values} = parseArgs({options: {commands: {type: 'string', default: '20000'}}});
const samples: Sample[] = [];
await withPlaces(async ({directory}) => {
	const commands = Number(values.commands);
	// By a quarter the list is full, by half the words of those that were forgotten: from then on all must be flat.
	await soak({directory, commands, maxEnded: commands / 4}, sample => {
		samples.push(sample);
		process.stderr.write(`${sample.commands} commands\n`);
	});
});
process.stdout.write(toTable(samples));
