/** 128 and SIGPIPE: what a shell shows for a program whose reader has left. */
const readerGone = 141;

/**
 * From now on the program ends when what it has to say cannot be written: without a word where its reader has left.
 * @param exitCode - Where it is not the reader.
 */
export function endWithOutput(exitCode: number): void {
	process.stdout.on('error', (error: NodeJS.ErrnoException) => {
		// nohupd ps | head
		if (error.code === 'EPIPE') {
			process.exit(readerGone);
		}

		process.stderr.write(`Standard output cannot be written: ${error.message}\n`);
		process.exit(exitCode);
	});
}
