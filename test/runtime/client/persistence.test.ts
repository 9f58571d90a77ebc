import test from 'ava';
import {DaemonAwayError, RefusedError} from '../../../runtime/client/daemon-errors.js';
import {Persistence} from '../../../runtime/client/persistence.js';

const never = new DaemonAwayError('never there', false);
const gone = new DaemonAwayError('gone', true);

/** Fails in turn, then answers. */
function failing(...errors: Error[]): () => Promise<string> {
	return async () => {
		const error = errors.shift();
		if (error !== undefined) {
			throw error;
		}

		return 'answer';
	};
}

function patient(words: string[] = [], limitMs = 60_000): Persistence {
	return new Persistence({
		limitMs,
		pauseMs: 0,
		onAway: () => words.push('away'),
		onBack: () => words.push('back'),
	});
}

test('a daemon that never was there is told at once', async t => {
	await t.throwsAsync(patient().ask(failing(never)), {is: never});
});

test('one that breaks off is waited for, and each is told once', async t => {
	const words: string[] = [];

	t.is(await patient(words).ask(failing(gone, never, never)), 'answer');

	t.deepEqual(words, ['away', 'back']);
});

test('one that has answered before is waited for, also where nobody listens', async t => {
	const persistence = patient();
	await persistence.ask(failing());

	t.is(await persistence.ask(failing(never, never)), 'answer');
});

test('a refusal is one', async t => {
	const refusal = new RefusedError(404, 'No process with id x');

	await t.throwsAsync(patient().ask(failing(gone, refusal)), {is: refusal});
});

test('patience has an end', async t => {
	await t.throwsAsync(patient([], 0).ask(failing(gone)), {is: gone});
});
