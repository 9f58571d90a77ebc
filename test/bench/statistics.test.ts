import test from 'ava';
import {shapeOf} from './statistics.js';

const sizesAndMedians = (of: (size: number) => number) => [10, 100, 1000].map(size => ({size, median: of(size)}));

test('a measure that stays the same is flat', t => {
	t.like(shapeOf(sizesAndMedians(() => 7)), {name: 'flat', exponent: 0});
});

test('a measure that grows with the size is linear, whatever each one costs', t => {
	const {name, exponent} = shapeOf(sizesAndMedians(size => 3 * size));

	t.is(name, 'linear');
	t.true(Math.abs(exponent - 1) < 1e-9);
});

test('a measure that grows with the square of the size is more than linear', t => {
	t.is(shapeOf(sizesAndMedians(size => size ** 2)).name, 'more than linear');
});

test('what a fixed cost hides shows in the last step', t => {
	const {name, lastExponent} = shapeOf(sizesAndMedians(size => 1000 + size));

	t.is(name, 'flat');
	t.true(lastExponent > 0.2);
});
