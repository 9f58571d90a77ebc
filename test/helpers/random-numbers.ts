/** Random numbers that come again with the same seed. A linear congruential generator: good enough to shuffle with. */
export class RandomNumbers {
	#state: number;

	constructor(seed: number) {
		this.#state = seed >>> 0;
	}

	/** 0 or more, less than `limit`. */
	below(limit: number): number {
		// Factors of Numerical Recipes, "Quick and dirty generators"; the high bits are the random ones.
		this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
		return Math.floor((this.#state / 2 ** 32) * limit);
	}

	oneOf<T>(items: readonly T[]): T {
		return items[this.below(items.length)] as T;
	}
}
