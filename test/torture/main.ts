/** `npm run torture -- --seconds 60 --seed 1` */
import {randomBytes} from 'node:crypto';
import {parseArgs} from 'node:util';
import {withPlaces} from './places.js';
import {report} from './report.js';
import {torture} from './torture.js';

const {values} = parseArgs({
	options: {
		seconds: {type: 'string', default: '60'},
		seed: {type: 'string', default: randomBytes(4).toString('hex')},
		clients: {type: 'string', default: '4'},
	},
});

const options = {seconds: Number(values.seconds), seed: values.seed, clients: Number(values.clients)};
process.stdout.write(`seed ${options.seed}, ${options.seconds} s\n`);
const outcome = await withPlaces(places => torture({...options, ...places}), options.seconds);
process.stdout.write(report(outcome));
process.exitCode = outcome.findings.length === 0 ? 0 : 1;
