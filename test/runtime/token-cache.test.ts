import test from 'ava';
import {readCaller} from '../../runtime/caller.js';
import {TokenCache} from '../../runtime/token-cache.js';

const somebody = readCaller({sub: 'somebody'});

/** A cache at 1,000 s by both clocks. */
function aCache(maxSize?: number) {
	const clocks = {nowMs: 1_000_000, monotonic: 1_000_000};
	const cache = new TokenCache({now: () => clocks.nowMs, monotonicMs: () => clocks.monotonic}, maxSize);
	return {cache, clocks};
}

test('a token is known once it was added', t => {
	const {cache} = aCache();

	t.is(cache.find('token'), null);
	cache.add('token', undefined, somebody);
	t.is(cache.find('token'), somebody);
	t.is(cache.find('token2'), null);
});

test('a token is forgotten in the second it ends', t => {
	const {cache, clocks} = aCache();
	cache.add('token', 1060, somebody);

	clocks.nowMs = 1_059_999;
	t.is(cache.find('token'), somebody);
	clocks.nowMs = 1_060_000;
	t.is(cache.find('token'), null);
	t.is(cache.size, 0);
});

test('after five minutes a token is looked at again, whatever the wall clock says', t => {
	const {cache, clocks} = aCache();
	cache.add('token', undefined, somebody);

	clocks.monotonic += 299_999;
	t.is(cache.find('token'), somebody);
	clocks.monotonic += 1;
	t.is(cache.find('token'), null);
});

test('the token that was not used for the longest time makes room', t => {
	const {cache} = aCache(2);
	cache.add('one', undefined, somebody);
	cache.add('two', undefined, somebody);
	cache.find('one');

	cache.add('three', undefined, somebody);

	t.deepEqual(
		['one', 'two', 'three'].map(token => cache.find(token) !== null),
		[true, false, true],
	);
	t.is(cache.size, 2);
});
