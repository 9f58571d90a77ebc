/** Wakes one who waits. Rung before, it is heard at once; rung often, it is heard once. */
export class Bell {
	#isRung = false;
	#wake: () => void = () => undefined;

	readonly ring = (): void => {
		this.#isRung = true;
		this.#wake();
	};

	/** Settles when it is rung, or has been since it was heard last. */
	async heard(): Promise<void> {
		if (!this.#isRung) {
			await new Promise<void>(resolve => {
				this.#wake = resolve;
			});
		}

		this.#isRung = false;
	}
}
