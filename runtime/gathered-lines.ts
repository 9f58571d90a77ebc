/** How long a line may wait for others, in milliseconds, and how many characters of them together. */
const patienceMs = 20;
const maxLength = 16_384;

/**
 * Passes lines on together. A write costs more than all that a line tells of, and a start has four of them. Who is
 * about to leave calls `passOn`: what waits is lost with the program.
 */
export class GatheredLines {
	#lines = '';
	#timer: NodeJS.Timeout | null = null;

	constructor(private readonly sink: {write(lines: string): unknown}) {}

	/** @param line - With its newline. */
	write(line: string): void {
		this.#lines += line;
		if (this.#lines.length >= maxLength) {
			this.passOn();
		} else {
			this.#timer ??= setTimeout(() => this.passOn(), patienceMs);
		}
	}

	/** At once. */
	passOn(): void {
		clearTimeout(this.#timer ?? undefined);
		this.#timer = null;
		const lines = this.#lines;
		this.#lines = '';
		if (lines !== '') {
			this.sink.write(lines);
		}
	}
}
