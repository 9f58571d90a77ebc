import * as v from 'valibot';

const secondsByUnit: Readonly<Record<string, number>> = {s: 1, m: 60, h: 3600, d: 86_400};

/** A time as people write it, in seconds: `3600`, `90m`, `12h`, `30d`. */
export const duration = v.pipe(
	v.string(),
	v.regex(/^\d{1,10}[smhd]?$/, 'must be seconds, or a number with s, m, h or d like 12h'),
	v.transform(text => Number.parseInt(text, 10) * (secondsByUnit[text.at(-1) ?? ''] ?? 1)),
);
