import pc from 'picocolors';

/** What may be drawn on a stream. */
export interface Screen {
	/** How wide it is; `null` where it is no terminal: then nothing is cut. */
	readonly columns: number | null;
	/** Colours, or functions that change nothing. */
	readonly paint: ReturnType<typeof pc.createColors>;
}

const usualColumns = 80;

/** Colours and a width only on a terminal; `NO_COLOR` (no-color.org) and `TERM=dumb` do without colours there too. */
export function screenOf(stream: NodeJS.WriteStream): Screen {
	// A terminal that was never told its size says 0.
	const columns = stream.isTTY ? stream.columns || usualColumns : null;
	// Said outright: left to itself picocolors colours pipes too where `CI` is set.
	return {columns, paint: pc.createColors(stream.isTTY === true && stream.hasColors())};
}
