import stringWidth from 'string-width';

/** A field of a table. */
export interface Cell {
	/** Without control characters. */
	readonly text: string;
	/** Colours it; changes nothing of its width. */
	readonly paint?: (text: string) => string;
}

const gap = '  ';
const minWidth = 6;
const segmenter = new Intl.Segmenter();

/**
 * Rows under each other, each column as wide as its widest field.
 * @param columns - How wide a line may be; `null`: nothing is cut.
 * @param shrinking - Which columns give way where there is no room, the first ones first.
 */
export function table(
	rows: ReadonlyArray<readonly Cell[]>,
	columns: number | null,
	shrinking: readonly number[],
): string {
	const natural = rows[0]?.map((_, column) => Math.max(...rows.map(row => stringWidth(row[column]?.text ?? '')))) ?? [];
	const widths = columns === null ? natural : shrink(natural, columns, shrinking);
	return rows.map(row => `${line(row, widths)}\n`).join('');
}

function shrink(natural: readonly number[], columns: number, shrinking: readonly number[]): number[] {
	const widths = [...natural];
	const total = natural.reduce((sum, width) => sum + width, 0) + gap.length * (natural.length - 1);
	let excess = Math.max(0, total - columns);
	// Whoever has given all that can be read gives the rest only when the others have, too.
	for (const least of [minWidth, 0]) {
		for (const column of shrinking) {
			const width = widths[column] ?? 0;
			const given = Math.min(excess, Math.max(0, width - least));
			widths[column] = width - given;
			excess -= given;
		}
	}

	return widths;
}

function line(row: readonly Cell[], widths: readonly number[]): string {
	const fields = row.map(({text, paint = String}, column) => {
		const width = widths[column] ?? 0;
		const shown = narrowed(text, width);
		const isLast = column === row.length - 1;
		return `${paint(shown)}${isLast ? '' : ' '.repeat(width - stringWidth(shown))}`;
	});
	return fields.join(gap).trimEnd();
}

/** Text cut to a width, the cut marked with `…`. Never through a character, be it wide or made of several. */
export function narrowed(text: string, width: number): string {
	if (stringWidth(text) <= width) {
		return text;
	}

	let shown = '';
	let used = 1;
	for (const {segment} of segmenter.segment(text)) {
		used += stringWidth(segment);
		if (used > width) {
			break;
		}

		shown += segment;
	}

	return width === 0 ? '' : `${shown}…`;
}
