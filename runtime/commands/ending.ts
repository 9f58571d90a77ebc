import type {Command} from 'commander';
import type {ShownProcess} from '../client/answers.js';
import {exitCodeHelp, exitCodeOf, exitCodes} from '../exit-codes.js';
import {escaped} from '../shown-text.js';

/** A command that ends with the exit code of another: its own failures have a code that tells them apart. */
export function endsLikeItsProcess(command: Command): Command {
	return command
		.addHelpText('after', exitCodeHelp)
		.hook('preAction', () => {
			process.exitCode = exitCodes.failed;
		})
		.exitOverride(({exitCode}) => process.exit(exitCode === 0 ? 0 : exitCodes.failed));
}

/** Takes over the exit code, and says what a code alone does not. */
export function endLike(ended: ShownProcess): void {
	process.exitCode = exitCodeOf(ended);
	const sentence = sentences[ended.reason ?? '']?.(ended);
	if (sentence !== undefined) {
		process.stderr.write(`${escaped(ended.process_id)} ${sentence}\n`);
	}
}

const sentences: Readonly<Record<string, (ended: ShownProcess) => string>> = {
	signaled: ({signal}) => `was ended by ${escaped(signal ?? 'a signal')}`,
	request: () => 'was killed',
	timeout: ({timeout}) => `was ended by its timeout of ${timeout} s`,
	oom: () => 'was ended for want of memory',
	start_failed: ({message}) => `could not be started: ${escaped(message ?? 'nobody knows why')}`,
	lost: () => 'has ended, and nobody knows how',
	reboot: () => 'ran when the machine was restarted',
};
