/** Medians by contender. */
export type Medians = Readonly<Record<string, number>>;

/** A number made of the contenders' medians. */
export interface Quantity {
	/** What stands behind the number. */
	readonly text: string;
	readonly of: (medians: Medians) => number;
}

/** What a line of the table promises; without a bound it only compares. */
export interface Target {
	readonly quantity: Quantity;
	readonly bound?: {readonly is: 'at most' | 'at least'; readonly limit: number};
}

/** How a line did. */
export interface Verdict {
	/** The target in words. */
	readonly text: string;
	readonly value: number;
	/** `null` where it only compares. */
	readonly isMet: boolean | null;
}

const medianOf = (medians: Medians, who: string) => medians[who] ?? Number.NaN;

/** One contender as a multiple of another. */
export const times = (who: string, yardstick: string): Quantity => ({
	text: `× ${yardstick}`,
	of: medians => medianOf(medians, who) / medianOf(medians, yardstick),
});

/** What one contender needs more than another. */
export const above = (who: string, other: string, unit: string): Quantity => ({
	text: `${unit} above ${other}`,
	of: medians => medianOf(medians, who) - medianOf(medians, other),
});

/** One contender's own number. */
export const own = (who: string, unit: string): Quantity => ({text: unit, of: medians => medianOf(medians, who)});

export const atMost = (limit: number, quantity: Quantity): Target => ({quantity, bound: {is: 'at most', limit}});
export const atLeast = (limit: number, quantity: Quantity): Target => ({quantity, bound: {is: 'at least', limit}});
export const compare = (quantity: Quantity): Target => ({quantity});

/** `null` where one who is compared was not measured. */
export function judge({quantity, bound}: Target, medians: Medians): Verdict | null {
	const value = quantity.of(medians);
	if (Number.isNaN(value)) {
		return null;
	}

	if (bound === undefined) {
		return {text: quantity.text, value, isMet: null};
	}

	const isMet = bound.is === 'at most' ? value <= bound.limit : value >= bound.limit;
	return {text: `${bound.is} ${bound.limit} ${quantity.text}`, value, isMet};
}
