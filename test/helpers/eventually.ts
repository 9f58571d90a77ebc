import {setTimeout as pause} from 'node:timers/promises';

/**
 * Asks until the answer is good, and gives it. The only place in the tests that waits for time.
 * @param limitMs - Generous: machines are shared. Only a failing test takes that long.
 */
export async function eventually<T>(
	ask: () => T | Promise<T>,
	isGood: (answer: T) => boolean = Boolean,
	limitMs = 20_000,
): Promise<T> {
	const end = performance.now() + limitMs;
	for (;;) {
		const answer = await ask();
		if (isGood(answer)) {
			return answer;
		}

		if (performance.now() > end) {
			throw new Error(`Not within ${limitMs} ms; the last answer was ${JSON.stringify(answer)}`);
		}

		await pause(10);
	}
}
