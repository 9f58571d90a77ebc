import {closeSync, type FSWatcher, openSync, readSync, watch as watchPath} from 'node:fs';
import type {Watch} from '../../ports.js';

const pieceBytes = 65_536;
/** Behind inotify, whose queue can overflow, and which can be used up (inotify(7)). */
const slowLookMs = 500;

/** Calls back once one of the files contains the text, as bytes of UTF-8, also across two writes. */
export function watchFiles(paths: readonly string[], text: string, onFound: () => void): Watch {
	const searches = paths.map(path => new Search(path, Buffer.from(text)));
	let isOver = false;
	let isLooking = false;
	const look = () => {
		if (isOver || isLooking) {
			return;
		}

		// A piece of each at a time: others have their turn before the next.
		const found = searches.map(search => search.next());
		if (found.includes('found')) {
			stop();
			onFound();
		} else if (found.includes('more')) {
			isLooking = true;
			setImmediate(() => {
				isLooking = false;
				look();
			});
		}
	};
	const watchers = paths.flatMap(path => startWatching(path, look));
	const timer = setInterval(look, slowLookMs);
	const stop = () => {
		isOver = true;
		clearInterval(timer);
		for (const watcher of watchers) {
			watcher.close();
		}
	};
	// Not at once: who began this is not ready to hear of its end.
	setImmediate(look);
	return {stop};
}

/** Goes through one file, from its beginning, as it grows. */
class Search {
	#offset = 0;
	/** The end of what was read: the text may have begun there. */
	#rest = Buffer.alloc(0);

	constructor(
		private readonly path: string,
		private readonly text: Buffer,
	) {}

	next(): 'found' | 'more' | 'nothing' {
		const bytes = this.#read();
		if (bytes.length === 0) {
			return 'nothing';
		}

		this.#offset += bytes.length;
		const searched = Buffer.concat([this.#rest, bytes]);
		if (searched.includes(this.text)) {
			return 'found';
		}

		// A copy: the piece itself is not to be kept.
		this.#rest = Buffer.from(searched.subarray(Math.max(0, searched.length - this.text.length + 1)));
		return bytes.length === pieceBytes ? 'more' : 'nothing';
	}

	#read(): Buffer {
		let descriptor: number;
		try {
			descriptor = openSync(this.path, 'r');
		} catch {
			// ENOENT: somebody removed it.
			return Buffer.alloc(0);
		}

		try {
			const piece = Buffer.allocUnsafe(pieceBytes);
			return piece.subarray(0, readSync(descriptor, piece, 0, pieceBytes, this.#offset));
		} finally {
			closeSync(descriptor);
		}
	}
}

function startWatching(path: string, onChange: () => void): FSWatcher[] {
	try {
		const watcher = watchPath(path, onChange);
		// The slow look goes on without it.
		watcher.on('error', () => watcher.close());
		return [watcher];
	} catch {
		// ENOSPC, EMFILE, ENOENT: the slow look is enough.
		return [];
	}
}
