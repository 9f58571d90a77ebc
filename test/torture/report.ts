import type {TortureReport} from './torture.js';

/** A few lines for people. */
export function report({counts, commands, findings}: TortureReport): string {
	const done = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, number]) => `  ${what}: ${number}`);
	return [
		`${commands} commands acknowledged`,
		...done,
		findings.length === 0 ? 'Every promise was kept.' : `${findings.length} findings:`,
		...findings.map(finding => `- ${finding}`),
		'',
	].join('\n');
}
