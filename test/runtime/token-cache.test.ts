import test from 'ava';
import {TokenCache} from '../../runtime/token-cache.js';

/** A cache at 1,000 s by both clocks. */
function aCache(maxSize?: number) {
	const clocks = {nowMs: 1_000_000, monotonic: 1_000_000};
	const cache = new TokenCache({now: () => clocks.nowMs, monotonicMs: () => clocks.monotonic}, maxSize);
	return {cache, clocks};
}

test('a token is known once it was added', t => {
	const {cache} = aCache();

	t.false(cache.has('token'));
	cache.add('token', undefined);
	t.true(cache.has('token'));
	t.false(cache.has('token2'));
});

test('a token is forgotten in the second it ends', t => {
	const {cache, clocks} = aCache();
	cache.add('token', 1060);

	clocks.nowMs = 1_059_999;
	t.true(cache.has('token'));
	clocks.nowMs = 1_060_000;
	t.false(cache.has('token'));
	t.is(cache.size, 0);
});

test('after five minutes a token is looked at again, whatever the wall clock says', t => {
	const {cache, clocks} = aCache();
	cache.add('token', undefined);

	clocks.monotonic += 299_999;
	t.true(cache.has('token'));
	clocks.monotonic += 1;
	t.false(cache.has('token'));
});

test('the token that was not used for the longest time makes room', t => {
	const {cache} = aCache(2);
	cache.add('one', undefined);
	cache.add('two', undefined);
	cache.has('one');

	cache.add('three', undefined);

	t.deepEqual(
		['one', 'two', 'three'].map(token => cache.has(token)),
		[true, false, true],
	);
	t.is(cache.size, 2);
});
