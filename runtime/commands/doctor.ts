import type {Command} from 'commander';
import type {Finding} from '../../lib/index.js';
import type {EndpointFlags} from '../client/endpoint.js';
import {CannotError} from '../failure.js';
import {escaped} from '../shown-text.js';
import {connect, daemonCommand} from './daemon-command.js';

/** `nohupd doctor`. */
export function doctorCommand(): Command {
	return daemonCommand('doctor', 'look at what this host can do, and at the daemon').action(doctor);
}

async function doctor(flags: EndpointFlags): Promise<void> {
	const findings = [...(flags.url === undefined ? await hostFindings(flags) : []), ...(await daemonFindings(flags))];
	const [{table}, {screenOf}] = await Promise.all([import('../terminal/table.js'), import('../terminal/screen.js')]);
	const {paint} = screenOf(process.stdout);
	const paints = {ok: paint.green, warning: paint.yellow, problem: paint.red};
	const rows = findings.map(({level, about, message}) => [
		{text: level, paint: paints[level]},
		{text: about},
		// Never cut: whoever asks the doctor wants to know.
		{text: escaped(message)},
	]);
	process.stdout.write(table(rows, null, []));
	process.exitCode = findings.some(({level}) => level === 'problem') ? 1 : 0;
}

async function hostFindings(flags: EndpointFlags): Promise<Finding[]> {
	const [{examineHost}, {stateDirOf}] = await Promise.all([
		import('../../lib/index.js'),
		import('../client/endpoint.js'),
	]);
	return examineHost(stateDirOf(flags, process.env));
}

/** What it says of itself may differ from the above: it runs in other surroundings, in a service perhaps. */
async function daemonFindings(flags: EndpointFlags): Promise<Finding[]> {
	const about = 'daemon';
	try {
		const {version, containment, warnings} = await (await connect(flags)).health();
		return [
			{about, level: 'ok', message: `answers, version ${version}, holds processes by ${containment}`},
			...warnings.map(message => ({about, level: 'warning' as const, message})),
		];
	} catch (error) {
		if (error instanceof CannotError) {
			return [{about, level: 'warning', message: error.message}];
		}

		throw error;
	}
}
