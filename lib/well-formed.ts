import * as v from 'valibot';

/** JavaScript and JSON know strings that are no Unicode: as UTF-8 they would become others than were meant. */
export const wellFormed = v.check<string, string>(
	value => value.isWellFormed(),
	'must be well-formed Unicode, without lone surrogates',
);
