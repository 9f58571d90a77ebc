/**
 * Values that arrive as text: from a flag, a variable or a query string. What they are to others than us stands in
 * their metadata, for the OpenAPI document.
 */
import * as v from 'valibot';

/** Text that says something. */
export const someText = v.pipe(
	v.string('must be a string'),
	v.nonEmpty('must not be empty'),
	v.check(value => !value.includes('\0'), 'must not contain a NUL character'),
);

/** A whole number from `min` to `max`. */
export function wholeNumber(min: number, max: number) {
	const problem = `must be a whole number from ${min} to ${max}`;
	return v.pipe(
		v.string(),
		v.regex(/^\d{1,16}$/, problem),
		v.metadata({jsonSchema: {type: 'integer', minimum: min, maximum: max}}),
		v.transform(Number),
		v.minValue(min, problem),
		v.maxValue(max, problem),
	);
}

/** Seconds, with decimals or not, as milliseconds. */
export function secondsAsMs(maxSeconds: number) {
	const problem = `must be a number of seconds from 0 to ${maxSeconds}`;
	return v.pipe(
		v.string(),
		v.regex(/^\d{1,16}(\.\d{1,16})?$/, problem),
		v.metadata({jsonSchema: {type: 'number', minimum: 0, maximum: maxSeconds}}),
		v.transform(Number),
		v.maxValue(maxSeconds, problem),
		v.transform(toMs),
	);
}

/** Whole milliseconds. */
export function toMs(seconds: number): number {
	return Math.round(seconds * 1000);
}
