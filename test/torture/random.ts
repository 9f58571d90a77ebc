import {createHash} from 'node:crypto';

/** Numbers that look random, and are the same for the same seed. */
export class Random {
	#count = 0;

	constructor(private readonly seed: string) {}

	/** From 0 up to, not including, 1. */
	next(): number {
		const digest = createHash('sha256')
			.update(`${this.seed}:${this.#count++}`)
			.digest();
		return digest.readUInt32LE() / 2 ** 32;
	}

	/** A whole number, both ends included. */
	int(min: number, max: number): number {
		return min + Math.floor(this.next() * (max - min + 1));
	}

	chance(probability: number): boolean {
		return this.next() < probability;
	}

	pick<T>(items: readonly T[]): T {
		const item = items[this.int(0, items.length - 1)];
		if (item === undefined) {
			throw new Error('Nothing to pick from');
		}

		return item;
	}
}
