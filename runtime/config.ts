import * as v from 'valibot';
import {SettingsInvalidError} from '../lib/index.js';
import {suggest} from './nearest.js';
import {type Setting, type SettingName, settings} from './settings.js';
import {printable} from './shown-text.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Flags as they were given, by the name of their setting. */
export type Flags = {readonly [Name in SettingName]?: string | undefined};

type Value<S extends Setting> = S extends {readonly default: string}
	? v.InferOutput<S['schema']>
	: v.InferOutput<S['schema']> | undefined;

/** Every setting, checked. Durations are in milliseconds, paths absolute. */
export type Config = {readonly [Name in SettingName]: Value<(typeof settings)[Name]>};

/**
 * Settings from flags, then environment, then defaults.
 * @throws {SettingsInvalidError} names the flag or the variable as it was given, and the value unless it is a secret.
 */
export function readConfig(flags: Flags, environment: Environment): Config {
	const names = Object.keys(settings) as SettingName[];
	// The mapped type says of each entry what the table says.
	return Object.fromEntries(names.map(name => [name, readSetting(name, flags, environment)])) as Config;
}

/** What to call a setting in a sentence: the flag if it was given as one, else the variable. */
export function nameAsGiven(name: SettingName, flags: Flags): string {
	const {flag, variable} = settings[name];
	return flag === null || flags[name] === undefined ? variable : (flag.split(' ', 1)[0] ?? variable);
}

function readSetting(name: SettingName, flags: Flags, environment: Environment): unknown {
	const setting: Setting = settings[name];
	const given = flags[name] ?? environment[setting.variable] ?? setting.default;
	if (given === undefined) {
		return undefined;
	}

	const parsed = v.safeParse(setting.schema, given, {abortEarly: true});
	if (!parsed.success) {
		const shown = setting.flag === null ? '' : `; got ${JSON.stringify(printable(given))}`;
		throw new SettingsInvalidError(nameAsGiven(name, flags), `${parsed.issues[0].message}${shown}`);
	}

	return parsed.output;
}

const variables: readonly string[] = Object.values(settings).map(({variable}) => variable);

/** The cookie is there when nohupd runs nohupd; the token is for the command line. */
const otherVariables = ['NOHUPD_PROCESS_ID', 'NOHUPD_TOKEN'];

/** Tells of each variable that looks like one of ours and is none. */
export function findUnknownVariables(environment: Environment): {variable: string; hint: string}[] {
	return Object.keys(environment)
		.filter(name => name.startsWith('NOHUPD_') && !otherVariables.includes(name) && !variables.includes(name))
		.map(variable => ({variable, hint: suggest(variable, variables)}));
}
