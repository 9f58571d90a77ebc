import {Argument, Command} from 'commander';
import {CannotError} from '../failure.js';

/**
 * Each asks nohupd itself, with what was typed so far, and offers files where it knows nothing. To bash `web:api` are
 * three words, and what it is told takes the place of the last one: so we look at the line, and say only the rest.
 */
const scripts: Readonly<Record<string, string>> = {
	bash: `_nohupd() {
	local IFS=$' \\t\\n' words last
	read -rd '' -a words <<<"\${COMP_LINE:0:COMP_POINT}."
	words[-1]=\${words[-1]%.}
	mapfile -t COMPREPLY < <("\${words[0]}" complete -- "\${words[@]:1}" 2>/dev/null)
	last=\${words[-1]}
	COMPREPLY=("\${COMPREPLY[@]#"\${last%"\${last##*[$COMP_WORDBREAKS]}"}"}")
}
complete -o default -F _nohupd nohupd
`,
	zsh: `#compdef nohupd
_nohupd() {
	local -a found
	found=("\${(@f)$("\${words[1]}" complete -- "\${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
	if [[ -n \${found[1]} ]]; then
		compadd -- "\${found[@]}"
	else
		_files
	fi
}
if [[ \${funcstack[1]} == _nohupd ]]; then
	_nohupd "$@"
else
	compdef _nohupd nohupd
fi
`,
	fish: `function __nohupd_complete
	set -l words (commandline -opc)
	set -l current (commandline -ct)
	set -l found ($words[1] complete -- $words[2..-1] "$current" 2>/dev/null)
	if set -q found[1]
		printf '%s\\n' $found
	else
		__fish_complete_path "$current"
	end
end
complete -c nohupd -f -a '(__nohupd_complete)'
`,
};

/** `nohupd completion`. */
export function completionCommand(): Command {
	return new Command('completion')
		.description('print what makes a shell complete our words: source <(nohupd completion bash)')
		.addArgument(new Argument('<shell>', 'which one').choices(Object.keys(scripts)))
		.addHelpText('after', '\nIn fish: nohupd completion fish | source')
		.action((shell: string) => {
			process.stdout.write(scripts[shell] ?? '');
		});
}

/** What the scripts ask. The last word is the one that is being typed. */
export function completeCommand(program: Command): Command {
	return new Command('complete').argument('<words...>').action(async (words: readonly string[]) => {
		for (const candidate of await complete(program, words, listProcessNames)) {
			process.stdout.write(`${candidate}\n`);
		}
	});
}

/** What the last word can become. Nothing: whatever the shell thinks. */
export async function complete(
	program: Command,
	words: readonly string[],
	listProcesses: (stateDir: string | undefined) => Promise<string[]>,
): Promise<string[]> {
	const [name = '', ...typed] = words;
	const partial = words.at(-1) ?? '';
	const command = program.commands.find(each => each.name() === name);
	if (typed.length === 0) {
		return beginningWith(
			partial,
			program
				.createHelp()
				.visibleCommands(program)
				.map(each => each.name()),
		);
	}

	// Behind "--", and for the value of a flag, the shell knows more.
	if (command === undefined || typed.slice(0, -1).includes('--') || isValue(command, typed)) {
		return [];
	}

	return partial.startsWith('-')
		? beginningWith(partial, flagsOf(command))
		: beginningWith(partial, await argumentsOf(command, typed, listProcesses));
}

async function argumentsOf(
	command: Command,
	typed: readonly string[],
	listProcesses: (stateDir: string | undefined) => Promise<string[]>,
): Promise<readonly string[]> {
	const [first] = command.registeredArguments;
	if (first?.name() !== 'process') {
		return first?.argChoices ?? [];
	}

	const at = typed.indexOf('--state-dir');
	return listProcesses(at === -1 ? undefined : typed[at + 1]);
}

function isValue(command: Command, typed: readonly string[]): boolean {
	const before = typed.at(-2) ?? '';
	return command.options.some(({long, required}) => long === before && required);
}

function flagsOf(command: Command): string[] {
	return command.options.filter(({hidden}) => !hidden).flatMap(({long}) => long ?? []);
}

function beginningWith(partial: string, candidates: readonly string[]): string[] {
	return candidates.filter(candidate => candidate.startsWith(partial));
}

/** Names and short ids of the newest processes. */
async function listProcessNames(stateDir: string | undefined): Promise<string[]> {
	const {connect} = await import('./daemon-command.js');
	try {
		// Somebody has pressed a key.
		const {processes} = await (await connect({stateDir}, 0)).list({limit: 100});
		const ids = processes.map(({process_id: id}) => id.replace('proc_', '').slice(0, 8));
		// Others would have to be quoted.
		const names = processes.map(({name}) => name ?? '').filter(name => /^[\w@%+:,./-]+$/.test(name));
		return [...new Set([...names, ...ids])];
	} catch (error) {
		if (error instanceof CannotError) {
			// No daemon, no candidates.
			return [];
		}

		throw error;
	}
}
