/** An agent that kills itself at one moment of its first start, kill or forgetting; the environment names the moment. */
import type {Launcher, Terminator} from '../../lib/index.js';
import {runAgent} from '../helpers/agent-program.js';
import {wrap} from '../helpers/wrap.js';

function die(): never {
	process.kill(process.pid, 'SIGKILL');
	throw new Error('A moment later');
}

/** Looks without a pause, so that nothing else of the agent goes on meanwhile. */
function dieOnce(isSo: () => boolean): void {
	for (;;) {
		if (isSo()) {
			die();
		}
	}
}

const moments: Record<string, (launcher: Launcher) => Partial<Launcher>> = {
	'before the row was committed': launcher => ({
		prepare: (...given) => {
			launcher.prepare(...given);
			die();
		},
	}),
	'before the keeper heard of it': () => ({launch: die}),
	'after the keeper heard of it': launcher => ({
		launch: processId => {
			launcher.launch(processId);
			die();
		},
	}),
	'after the claim': launcher => ({
		launch: processId => {
			launcher.launch(processId);
			dieOnce(() => launcher.claim(processId).by !== 'nobody');
		},
	}),
	'before the files were removed': () => ({discard: die}),
	'before the answer': launcher => ({
		launch: processId => {
			launcher.launch(processId);
			dieOnce(() => launcher.read(processId).start !== null);
		},
	}),
};

const dies = process.env['DIES'] ?? '';
const moment = moments[dies] ?? (() => ({}));

const ofTerminator: Record<string, (terminator: Terminator) => Partial<Terminator>> = {
	'before SIGTERM': terminator => ({target: process => wrap(terminator.target(process), {ask: async () => die()})}),
	'before what it left was counted': () => ({survey: die}),
};
const momentOfTerminator = ofTerminator[dies] ?? (() => ({}));

await runAgent({
	launcher: launcher => wrap(launcher, moment(launcher)),
	terminator: terminator => wrap(terminator, momentOfTerminator(terminator)),
});
