import test from 'ava';
import {Argument, Command, Option} from 'commander';
import {complete} from '../../../runtime/commands/completion.js';

const program = new Command('nohupd')
	.addCommand(new Command('kill').argument('<process...>').option('--state-dir <path>').option('--force'))
	.addCommand(
		new Command('run').argument('<command...>').option('--name <name>').addOption(new Option('--odd').hideHelp()),
	)
	.addCommand(new Command('completion').addArgument(new Argument('<shell>').choices(['bash', 'zsh'])))
	.addCommand(new Command('secret'), {hidden: true});

const completes = test.macro(async (t, words: string[], candidates: string[]) => {
	const listProcesses = async (stateDir: string | undefined) => ['build', 'ab12', ...(stateDir ? [stateDir] : [])];

	t.deepEqual(await complete(program, words, listProcesses), candidates);
});

test('the names of our commands', completes, ['k'], ['kill']);
test('all of them, but for those that are hidden', completes, [''], ['kill', 'run', 'completion', 'help']);
test('flags', completes, ['kill', '--f'], ['--force']);
test('flags, but for those that are hidden', completes, ['run', '--'], ['--name']);
test('processes', completes, ['kill', 'b'], ['build']);
test('more processes', completes, ['kill', 'build', ''], ['build', 'ab12']);
test('those of another state directory', completes, ['kill', '--state-dir', '/s', ''], ['build', 'ab12', '/s']);
test('choices', completes, ['completion', 'b'], ['bash']);
test('the value of a flag is left to the shell', completes, ['run', '--name', ''], []);
test('a flag without a value has none', completes, ['kill', '--force', 'b'], ['build']);
test('a command of others is left to the shell', completes, ['run', '--', ''], []);
test('nothing for what is no command of ours', completes, ['nothing', ''], []);
