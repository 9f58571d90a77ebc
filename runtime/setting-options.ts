import {Option} from 'commander';
import {type Setting, type SettingName, settings} from './settings.js';

/** The flags of some settings. Variables and defaults are read later, so that a wrong value can say where it is from. */
export function optionsOf(names: readonly SettingName[]): Option[] {
	return names.flatMap(name => {
		const {flag, help, variable, ...setting}: Setting = settings[name];
		const fallback = setting.default === undefined ? '' : `; default ${setting.default}`;
		return flag === null ? [] : [new Option(flag, `${help} (${variable}${fallback})`)];
	});
}
