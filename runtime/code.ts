/** Pieces of code as commands, and back. */
import {basename} from 'node:path';
import * as v from 'valibot';
import {commandBodySchema} from '../lib/index.js';
import {asObject, parseFields} from './fields.js';
import {Problem} from './problem.js';
import {someText} from './text-schemas.js';

export const languages = ['python', 'javascript', 'bash'] as const;

export type Language = (typeof languages)[number];

/** Room for the option before the code in one argument of at most 131,071 bytes (execve(2)). */
const maxCodeBytes = 131_000;

const {command, args, ...shared} = commandBodySchema.entries;

const codeSchema = v.object({
	code: someText,
	language: v.optional(v.picklist(languages, `must be one of ${languages.join(', ')}`), 'python'),
});

/** The body of `POST /execute/background`: code in place of a command. */
export const codeBodySchema = v.object({...codeSchema.entries, ...shared});

/**
 * The body of a start that runs the code. The fields that it shares with commands are left to who checks those.
 * @throws {Problem} 400
 */
export function codeAsCommand(body: unknown): object {
	const {code: givenCode, language: givenLanguage, ...rest} = asObject(body) as Record<string, unknown>;
	const wrong = ['command', 'args'].find(field => Object.hasOwn(rest, field));
	if (wrong !== undefined) {
		throw new Problem('INVALID_REQUEST', `${wrong} is not a known field here; give code`, {field: wrong});
	}

	const {code, language} = parseFields('field', codeSchema, {code: givenCode, language: givenLanguage});
	if (language !== 'bash' && Buffer.byteLength(code) > maxCodeBytes) {
		throw new Problem('INVALID_REQUEST', `code must be at most ${maxCodeBytes} bytes of ${language}`, {field: 'code'});
	}

	return {...rest, ...commands[language](code)};
}

const commands: Readonly<Record<Language, (code: string) => {command: string; args?: string[]}>> = {
	python: code => ({command: 'python3', args: ['-c', code]}),
	// The one that is there for sure. Code may begin with a dash, so it stands in one word with its option.
	javascript: code => ({command: process.execPath, args: [`--eval=${code}`]}),
	bash: code => ({command: code}),
};

/** What a command is written in, as far as its first words tell: a shell line and any program are `bash`. */
export function languageOf(program: string, args: readonly string[] | null): Language {
	const [first = ''] = args ?? [];
	if (basename(program) === 'python3' && first === '-c') {
		return 'python';
	}

	return basename(program) === 'node' && first.startsWith('--eval=') ? 'javascript' : 'bash';
}
