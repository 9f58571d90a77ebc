/** The middle of many; of an even number the mean of both. */
export function median(values: readonly number[]): number {
	const sorted = values.toSorted((a, b) => a - b);
	const middle = sorted.length >> 1;
	const upper = sorted[middle] ?? Number.NaN;
	return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** A measure at one size. */
export interface Point {
	readonly size: number;
	readonly median: number;
}

/** How a measure grows with the size: as a power of it. */
export interface Shape {
	readonly name: 'falling' | 'flat' | 'less than linear' | 'linear' | 'more than linear';
	/** The slope of the straight line through the logarithms (least squares). */
	readonly exponent: number;
	/** The same of the last two points alone: what a fixed cost hides in the first ones. */
	readonly lastExponent: number;
}

/** Of two points or more, all of them positive. */
export function shapeOf(points: readonly Point[]): Shape {
	const exponent = slope(points);
	return {name: nameOf(exponent), exponent, lastExponent: slope(points.slice(-2))};
}

function slope(points: readonly Point[]): number {
	const x = points.map(({size}) => Math.log(size));
	const y = points.map(({median}) => Math.log(median));
	const [meanX, meanY] = [mean(x), mean(y)];
	const covariance = mean(x.map((each, i) => (each - meanX) * ((y[i] ?? Number.NaN) - meanY)));
	return covariance / mean(x.map(each => (each - meanX) ** 2));
}

function mean(values: readonly number[]): number {
	return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Within a fifth of 0 and of 1: ten times as many cost at most 1.6 times as much, or about ten times. */
function nameOf(exponent: number): Shape['name'] {
	if (exponent < -0.2) {
		return 'falling';
	}

	if (exponent <= 0.2) {
		return 'flat';
	}

	if (exponent < 0.8) {
		return 'less than linear';
	}

	return exponent <= 1.2 ? 'linear' : 'more than linear';
}
